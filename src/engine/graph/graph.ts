// A graph under construction: inputs, constants, nodes, nested bodies (of Loop), and its ONNX
// form. Operators with their shape rules are in operators.ts.

import {
  type AttributeProto,
  encodeModel,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './onnx-proto.ts';
import {
  type Attribute,
  type DataType,
  dataTypes,
  type ExternalData,
  type Node,
  type Shape,
  Value,
} from './value.ts';

/** What root and bodies share, so that names are unique and constants stored once. */
interface Shared {
  counter: number;
  constants: Map<string, Value>;
  initializers: Value[];
}

export class Graph {
  readonly parent: Graph | undefined;
  readonly nodes: Node[] = [];
  readonly inputs: Value[] = [];
  outputs: Value[] = [];
  private readonly shared: Shared;
  private path: string[] = [];
  private readonly named = new Set<Value>();

  constructor(parent?: Graph) {
    this.parent = parent;
    this.shared = parent?.shared ?? { counter: 0, constants: new Map(), initializers: [] };
    if (parent) this.path = [...parent.path];
  }

  /** Name the nodes made in `build` by module path, such as `layers.3.attn`. */
  scope<T>(name: string, build: () => T): T {
    this.path.push(name);
    try {
      return build();
    } finally {
      this.path.pop();
    }
  }

  /** An input of the graph, or of a Loop's body. */
  input(name: string, shape: Shape, dtype: DataType = 'float32'): Value {
    const value = new Value(this, this.parent ? this.unique(name) : name, shape, dtype);
    this.inputs.push(value);
    return value;
  }

  /** A constant of the graph's own; equal small ones are one. */
  constant(data: Float32Array | BigInt64Array | Int32Array, shape: readonly number[]): Value {
    const dtype =
      data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'int64';
    const key = data.length <= 64 ? `${dtype}[${shape}]${data}` : undefined;
    const known = key && this.shared.constants.get(key);
    if (known) return known;
    const value = this.initializer(this.unique('const'), shape, dtype, bytesOf(data));
    if (key) this.shared.constants.set(key, value);
    return value;
  }

  /** A float32 scalar. */
  scalar(x: number): Value {
    return this.constant(Float32Array.of(x), []);
  }

  /** An int64 vector, or a scalar where `shape` is []. */
  ints(xs: readonly number[], shape: readonly number[] = [xs.length]): Value {
    return this.constant(BigInt64Array.from(xs, BigInt), shape);
  }

  /** A named constant whose bytes are given, or lie in an external file. */
  initializer(name: string, shape: Shape, dtype: DataType, data: Uint8Array | ExternalData): Value {
    const value = new Value(this.root, name, shape, dtype);
    value.data = data;
    this.shared.initializers.push(value);
    return value;
  }

  /** Append a node; one output for each of `outputs`. */
  node(
    opType: string,
    inputs: (Value | undefined)[],
    outputs: { shape: Shape; dtype?: DataType; name?: string }[],
    options: {
      attributes?: Record<string, Attribute>;
      domain?: Node['domain'];
      axes?: readonly number[];
      unique?: boolean;
    } = {},
  ): Value[] {
    const name = this.unique(opType);
    const values = outputs.map(
      (o, i) =>
        new Value(this, o.name ?? (i === 0 ? name : `${name}:${i}`), o.shape, o.dtype ?? 'float32'),
    );
    const node: Node = {
      name,
      opType,
      domain: options.domain ?? '',
      inputs,
      outputs: values,
      attributes: options.attributes ?? {},
      ...(options.axes && { axes: options.axes }),
      ...(options.unique && { unique: true }),
    };
    for (const value of values) value.producer = node;
    this.nodes.push(node);
    return values;
  }

  /** The bytes of an ONNX model that computes `outputs`; what they do not need is left out. */
  toModel(outputs: Value[]): Uint8Array {
    this.outputs = outputs;
    const used = new Set<Value>();
    const graph = this.toProto('anneal', used);
    graph.initializer = this.shared.initializers.filter((v) => used.has(v)).map(tensorProto);
    return encodeModel(graph);
  }

  /** `value` under the name by which it is fetched; a value may have two such names. */
  output(name: string, value: Value): Value {
    if (!value.producer || this.named.has(value)) {
      const options = { shape: value.shape, dtype: value.dtype, name };
      return this.node('Identity', [value], [options])[0]!;
    }
    value.name = name;
    this.named.add(value);
    return value;
  }

  private get root(): Graph {
    return this.parent?.root ?? this;
  }

  private unique(name: string): string {
    return [...this.path, `${name}_${this.shared.counter++}`].join('.');
  }

  /** The ONNX form; adds every value met to `used`. */
  toProto(name: string, used: Set<Value>): GraphProto {
    const live = this.liveNodes(used);
    const node = live.map((n) => nodeProto(n, used));
    return {
      name,
      node,
      initializer: [],
      input: this.inputs.map((v) => valueInfo(v)),
      output: this.outputs.map((v) => valueInfo(v, this.parent !== undefined)),
    };
  }

  /** Nodes that the outputs need, in order; adds every value met to `used`. */
  private liveNodes(used: Set<Value>): Node[] {
    for (const output of this.outputs) used.add(output);
    const live: Node[] = [];
    for (const node of this.nodes.toReversed()) {
      if (!node.outputs.some((output) => used.has(output))) continue;
      live.push(node);
      for (const input of node.inputs) if (input) used.add(input);
      for (const attribute of Object.values(node.attributes))
        if (isBody(attribute)) attribute.graph.liveNodes(used);
    }
    return live.reverse();
  }
}

function isBody(attribute: Attribute): attribute is { graph: Graph } {
  return typeof attribute === 'object' && 'graph' in attribute;
}

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function nodeProto(node: Node, used: Set<Value>): NodeProto {
  return {
    name: node.name,
    opType: node.opType,
    domain: node.domain,
    input: node.inputs.map((v) => v?.name ?? ''),
    output: node.outputs.map((v) => v.name),
    attribute: Object.entries(node.attributes).map(([name, a]) => attributeProto(name, a, used)),
  };
}

function attributeProto(name: string, value: Attribute, used: Set<Value>): AttributeProto {
  if (typeof value === 'number') return { name, type: 2, i: value };
  if (typeof value === 'string') return { name, type: 3, s: Buffer.from(value) };
  if (isBody(value)) return { name, type: 5, g: value.graph.toProto(name, used) };
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
