// Encodes a graph as an ONNX model.

import { type Attribute, dataTypes, type Graph, type Node, type Value } from './graph.ts';
import {
  type AttributeProto,
  encodeModel,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './onnx-proto.ts';
import { operatorDomains } from './operator-set.ts';

/** The bytes of an ONNX model that computes `outputs`. Nodes they do not depend on are left out. */
export function serializeModel(graph: Graph, outputs: Value[]): Uint8Array {
  graph.outputs = outputs;
  const used = new Set<Value>();
  const proto = graphProto(graph, 'anneal', used);
  proto.initializer = graph.initializers.filter((v) => used.has(v)).map(tensorProto);
  return encodeModel(proto);
}

function graphProto(graph: Graph, name: string, used: Set<Value>): GraphProto {
  const live = liveNodes(graph, used);
  return {
    name,
    node: live.map((node) => nodeProto(node, used)),
    initializer: [],
    input: graph.inputs.map((v) => valueInfo(v)),
    output: graph.outputs.map((v) => valueInfo(v, graph.parent !== undefined)),
  };
}

/** Nodes that the outputs depend on, in order. Adds every value they use to `used`. */
function liveNodes(graph: Graph, used: Set<Value>): Node[] {
  for (const output of graph.outputs) used.add(output);
  const live: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((output) => used.has(output))) continue;
    live.push(node);
    for (const input of node.inputs) if (input) used.add(input);
    for (const attribute of Object.values(node.attributes))
      if (isBody(attribute)) liveNodes(attribute.graph, used);
  }
  return live.reverse();
}

function isBody(attribute: Attribute): attribute is { graph: Graph } {
  return typeof attribute === 'object' && 'graph' in attribute;
}

function nodeProto(node: Node, used: Set<Value>): NodeProto {
  return {
    name: node.name,
    opType: node.opType,
    domain: operatorDomains[node.opType],
    input: node.inputs.map((v) => v?.name ?? ''),
    output: node.outputs.map((v) => v.name),
    attribute: Object.entries(node.attributes).map(([name, a]) => attributeProto(name, a, used)),
  };
}

function attributeProto(name: string, value: Attribute, used: Set<Value>): AttributeProto {
  if (typeof value === 'number') return { name, type: 2, i: value };
  if (typeof value === 'string') return { name, type: 3, s: Buffer.from(value) };
  if (isBody(value)) return { name, type: 5, g: graphProto(value.graph, name, used) };
  if ('float' in value) return { name, type: 1, f: value.float };
  return { name, type: 7, ints: [...value] };
}

function valueInfo(value: Value, typeOnly = false): ValueInfoProto {
  const elemType = dataTypes[value.dtype];
  if (typeOnly) return { name: value.name, type: { tensorType: { elemType } } };
  const dim = value.shape.map((d) => (typeof d === 'string' ? { dimParam: d } : { dimValue: d }));
  return { name: value.name, type: { tensorType: { elemType, shape: { dim } } } };
}

function tensorProto(value: Value): TensorProto {
  const { name, data } = value;
  const dims = value.shape.map((_, axis) => value.dim(axis));
  const tensor = { name, dims, dataType: dataTypes[value.dtype] };
  if (data instanceof Uint8Array) return { ...tensor, rawData: data };
  if (!data) throw new Error(`constant ${name} has no data`);
  const externalData = Object.entries(data).map(([key, v]) => ({ key, value: String(v) }));
  return { ...tensor, externalData, dataLocation: 1 };
}
