// A graph with lengths that are known only when it runs: they have names, which stand in shapes,
// and values, which operators that take a shape are fed.

import { type DataType, Graph, type NodeOptions, type Shape, type Value } from './graph.ts';
import type { Operator } from './operator-set.ts';

export class ShapedGraph extends Graph {
  /** Lengths by name, int64 [1] each. */
  readonly #lengths = new Map<string, Value>();
  /** Shapes with such lengths in them, made once. */
  readonly #shapes = new Map<string, Value>();

  /** Say what the length called `name` is: int64 [1]. Bodies of this graph know it too. */
  dimension(name: string, length: Value): void {
    this.#lengths.set(name, length);
  }

  /** An input whose named lengths are those of its shape, where they are not known yet. */
  shapedInput(name: string, shape: Shape, dtype: DataType = 'float32'): Value {
    const value = this.input(name, shape, dtype);
    shape.forEach((d, axis) => {
      if (typeof d === 'string' && !this.#lengths.has(d))
        this.dimension(d, this.length(value, axis));
    });
    return value;
  }

  /** Length of an axis when the graph runs, int64 [1]. */
  length(a: Value, axis: number): Value {
    const attributes = { start: axis, end: axis + 1 };
    return this.one('Shape', [a], [1], { dtype: 'int64', attributes });
  }

  /**
   * A shape as int64 [rank], made once, in the outermost graph that knows its named lengths.
   * @throws for a name that no graph knows
   */
  shapeValue(shape: Shape): Value {
    const names = shape.filter((d) => typeof d === 'string');
    if (names.length === 0) return this.ints(shape as number[]);
    const outer = this.parent as ShapedGraph | undefined;
    if (!names.some((name) => this.#lengths.has(name))) {
      if (!outer) throw new Error(`no graph knows the lengths of [${shape}]`);
      return outer.shapeValue(shape);
    }
    const key = String(shape);
    const known = this.#shapes.get(key);
    if (known) return known;
    const parts = shape.map((d) => (typeof d === 'string' ? this.lengthNamed(d) : this.ints([d])));
    const options = { dtype: 'int64', attributes: { axis: 0 } } as const;
    const value = this.one('Concat', parts, [parts.length], options);
    this.#shapes.set(key, value);
    return value;
  }

  /** The length called `name`, int64 [1]. @throws where no graph knows it */
  lengthNamed(name: string): Value {
    const known =
      this.#lengths.get(name) ?? (this.parent as ShapedGraph | undefined)?.lengthNamed(name);
    if (!known) throw new Error(`no graph knows the length ${name}`);
    return known;
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
