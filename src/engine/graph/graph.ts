// A graph under construction: values and the nodes that produce them, inputs, constants, and nested
// bodies (of Loop). Operators and their shape rules are in operators.ts, the ONNX encoding in
// serialize.ts.

import type { MetadataOf, Operator } from './operator-set.ts';

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

/** A length known at build time, or the name of one known only at run time. */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** Where an initializer's bytes are: `length` bytes from `offset` of an external file. */
export interface ExternalData {
  location: string;
  offset: number;
  length: number;
}

/** The result of a node, an input of a graph, or a constant. */
export class Value {
  name: string;
  readonly shape: Shape;
  readonly dtype: DataType;
  /** The node that produces it; undefined for inputs and constants. */
  producer: Node | undefined;
  /** A constant's bytes, or where they are. */
  data: Uint8Array | ExternalData | undefined;

  constructor(name: string, shape: Shape, dtype: DataType) {
    this.name = name;
    this.shape = shape;
    this.dtype = dtype;
  }

  get rank(): number {
    return this.shape.length;
  }

  /** The numbers of an int64 constant; undefined for any other value. */
  get integers(): number[] | undefined {
    if (this.dtype !== 'int64' || !(this.data instanceof Uint8Array)) return undefined;
    const { buffer, byteOffset, byteLength } = this.data;
    return Array.from(new BigInt64Array(buffer, byteOffset, byteLength / 8), Number);
  }

  /** Length of an axis; negative counts from the end. @throws if it is known only at run time */
  dim(axis: number): number {
    const length = this.shape.at(axis);
    if (typeof length !== 'number')
      throw new Error(
        `expected axis ${axis} of ${this.name} [${this.shape}] to have a length at build time`,
      );
    return length;
  }
}

export type Attribute = number | string | readonly number[] | { float: number } | { graph: Graph };

/** One operator applied to values. */
export interface Node<O extends Operator = Operator> {
  name: string;
  opType: O;
  inputs: (Value | undefined)[];
  outputs: Value[];
  attributes: Record<string, Attribute>;
  metadata?: MetadataOf<O> | undefined;
}

export type NodeOptions<O extends Operator> = Partial<Pick<Node<O>, 'attributes' | 'metadata'>>;

/** Shared by a graph and its bodies: names stay unique, and constants are stored once. */
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
  readonly #shared: Shared;
  #path: string[] = [];
  readonly #named = new Set<Value>();

  /** Constants of the whole graph, including its bodies. */
  get initializers(): readonly Value[] {
    return this.#shared.initializers;
  }

  constructor(parent?: Graph) {
    this.parent = parent;
    this.#shared = parent ? parent.#shared : { counter: 0, constants: new Map(), initializers: [] };
    if (parent) this.#path = [...parent.#path];
  }

  /** Prefix the names of the nodes made in `build` with a module path, such as `layers.3.attn`. */
  scope<T>(name: string, build: () => T): T {
    this.#path.push(name);
    try {
      return build();
    } finally {
      this.#path.pop();
    }
  }

  /** An input of the graph or of a Loop's body. */
  input(name: string, shape: Shape, dtype: DataType = 'float32'): Value {
    const value = new Value(this.parent ? this.#unique(name) : name, shape, dtype);
    this.inputs.push(value);
    return value;
  }

  /** A constant stored in the graph. Equal small constants are stored once. */
  constant(data: Float32Array | BigInt64Array | Int32Array, shape: readonly number[]): Value {
    const dtype =
      data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'int64';
    const key = data.length <= 64 ? `${dtype}[${shape}]${data}` : undefined;
    const cached = key && this.#shared.constants.get(key);
    if (cached) return cached;
    const value = this.initializer(this.#unique('const'), shape, dtype, bytesOf(data));
    if (key) this.#shared.constants.set(key, value);
    return value;
  }

  /** A float32 scalar. */
  scalar(x: number): Value {
    return this.constant(Float32Array.of(x), []);
  }

  /** An int64 vector, or a scalar if `shape` is []. */
  ints(xs: readonly number[], shape: readonly number[] = [xs.length]): Value {
    return this.constant(BigInt64Array.from(xs, BigInt), shape);
  }

  /** A named constant whose bytes are given or lie in an external file. */
  initializer(name: string, shape: Shape, dtype: DataType, data: Uint8Array | ExternalData): Value {
    const value = new Value(name, shape, dtype);
    value.data = data;
    this.#shared.initializers.push(value);
    return value;
  }

  /** Append a node and return its outputs, one for each of `outputs`. */
  node<O extends Operator>(
    opType: O,
    inputs: (Value | undefined)[],
    outputs: { shape: Shape; dtype?: DataType; name?: string }[],
    { attributes = {}, metadata }: NodeOptions<O> = {},
  ): Value[] {
    const name = this.#unique(opType);
    const values = outputs.map(
      (o, i) =>
        new Value(o.name ?? (i === 0 ? name : `${name}:${i}`), o.shape, o.dtype ?? 'float32'),
    );
    const node: Node<O> = { name, opType, inputs, outputs: values, attributes, metadata };
    for (const value of values) value.producer = node;
    this.nodes.push(node);
    return values;
  }

  /** `value` under the name it is fetched by. A value may be fetched under several names. */
  output(name: string, value: Value): Value {
    if (!value.producer || this.#named.has(value)) {
      const options = { shape: value.shape, dtype: value.dtype, name };
      return this.node('Identity', [value], [options])[0]!;
    }
    value.name = name;
    this.#named.add(value);
    return value;
  }

  #unique(name: string): string {
    return [...this.#path, `${name}_${this.#shared.counter++}`].join('.');
  }
}

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
