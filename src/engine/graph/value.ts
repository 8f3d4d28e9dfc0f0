// What a graph is made of: values and the nodes that produce them.

import type { Graph } from './graph.ts';

/** Element types, with their TensorProto.DataType numbers. */
export const dataTypes = {
  float32: 1,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
} as const;
export type DataType = keyof typeof dataTypes;

/** A length known when the graph is built, or the name of one known only when it runs. */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** Where an initializer's bytes lie: `length` bytes from `offset` of an external file. */
export interface ExternalData {
  location: string;
  offset: number;
  length: number;
}

/** The result of a node, an input of a graph, or a constant. */
export class Value {
  readonly graph: Graph;
  name: string;
  readonly shape: Shape;
  readonly dtype: DataType;
  /** The node that makes it; undefined for inputs and constants. */
  producer: Node | undefined;
  /** Bytes of a constant, or where they lie. */
  data: Uint8Array | ExternalData | undefined;

  constructor(graph: Graph, name: string, shape: Shape, dtype: DataType) {
    this.graph = graph;
    this.name = name;
    this.shape = shape;
    this.dtype = dtype;
  }

  get rank(): number {
    return this.shape.length;
  }

  /** Length of an axis, negative from the end. @throws where it is not known at build time */
  dim(axis: number): number {
    const length = this.shape.at(axis);
    if (typeof length !== 'number')
      throw new Error(`axis ${axis} of ${this.name} [${this.shape}] has no length at build time`);
    return length;
  }
}

export type Attribute = number | string | readonly number[] | { float: number } | { graph: Graph };

/**
 * One operator. `axes` repeats for autodiff what is an input to ONNX (ReduceSum, Slice…); `unique`
 * says of a Gather that no index comes twice.
 */
export interface Node {
  name: string;
  opType: string;
  domain: '' | 'com.microsoft';
  inputs: (Value | undefined)[];
  outputs: Value[];
  attributes: Record<string, Attribute>;
  axes?: readonly number[];
  unique?: boolean;
}
