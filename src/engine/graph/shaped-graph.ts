// A graph with lengths known only at run time. Each has a name, used in shapes, and a value, given
// to operators that take a shape as input.

import { type DataType, Graph, type NodeOptions, type Shape, type Value } from './graph.ts';
import type { Operator } from './operator-set.ts';

export class ShapedGraph extends Graph {
  /** Lengths by name, int64 [1] each. */
  readonly #lengths = new Map<string, Value>();
  /** Shapes that contain named lengths; each is computed once. */
  readonly #shapes = new Map<string, Value>();

  /** Define the length `name`, int64 [1], for this graph and its bodies. */
  dimension(name: string, length: Value): void {
    this.#lengths.set(name, length);
  }

  /** An input that defines those named lengths of its shape that are not defined yet. */
  shapedInput(name: string, shape: Shape, dtype: DataType = 'float32'): Value {
    const value = this.input(name, shape, dtype);
    shape.forEach((d, axis) => {
      if (typeof d === 'string' && !this.#lengths.has(d))
        this.dimension(d, this.length(value, axis));
    });
    return value;
  }

  /** Length of an axis at run time, int64 [1]. */
  length(a: Value, axis: number): Value {
    const attributes = { start: axis, end: axis + 1 };
    return this.one('Shape', [a], [1], { dtype: 'int64', attributes });
  }

  /**
   * A shape as int64 [rank], computed once, in the outermost graph that defines its named lengths.
   * @throws if a name is not defined
   */
  shapeValue(shape: Shape): Value {
    const names = shape.filter((d) => typeof d === 'string');
    if (names.length === 0) return this.ints(shape as number[]);
    const outer = this.parent as ShapedGraph | undefined;
    if (!names.some((name) => this.#lengths.has(name))) {
      if (!outer) throw new Error(`expected the lengths of [${shape}] to be defined, found none`);
      return outer.shapeValue(shape);
    }
    const key = String(shape);
    const cached = this.#shapes.get(key);
    if (cached) return cached;
    const parts = shape.map((d) => (typeof d === 'string' ? this.lengthNamed(d) : this.ints([d])));
    const options = { dtype: 'int64', attributes: { axis: 0 } } as const;
    const value = this.one('Concat', parts, [parts.length], options);
    this.#shapes.set(key, value);
    return value;
  }

  /** The length `name`, int64 [1]. @throws if it is not defined */
  lengthNamed(name: string): Value {
    const length =
      this.#lengths.get(name) ?? (this.parent as ShapedGraph | undefined)?.lengthNamed(name);
    if (!length) throw new Error(`expected the length ${name} to be defined, found no definition`);
    return length;
  }

  /** A node with one output. */
  one<O extends Operator>(
    opType: O,
    inputs: (Value | undefined)[],
    shape: Shape,
    { dtype = 'float32', ...options }: NodeOptions<O> & { dtype?: DataType } = {},
  ): Value {
    return this.node(opType, inputs, [{ shape, dtype }], options as NodeOptions<O>)[0]!;
  }
}
