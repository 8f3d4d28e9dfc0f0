// The operators that models are built from, each with its shape rule. A method is one ONNX operator
// (opset 18), or a short composition if ONNX has none. Gradients are in ../autodiff.

import {
  type Attribute,
  type DataType,
  type Dim,
  dataTypes,
  type Shape,
  type Value,
} from './graph.ts';
import type { Operator } from './operator-set.ts';
import { ShapedGraph } from './shaped-graph.ts';

type Operand = Value | number;

interface ProductOptions {
  transA?: boolean;
  transB?: boolean;
  alpha?: number;
}

/** Shape of an element-wise operation (NumPy broadcasting). @throws if the shapes disagree */
function broadcastShape(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i): Dim => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    if (typeof x === 'string' || typeof y === 'string') return typeof x === 'string' ? x : y;
    throw new Error(`shapes [${a}] and [${b}] do not broadcast`);
  });
}

/** A graph with a method for each operator. */
export class Builder extends ShapedGraph {
  /** A body for `loop`. Its nodes can use this graph's values. */
  body(): Builder {
    return new Builder(this);
  }

  /** The graph whose Loop this body belongs to. */
  get outer(): Builder {
    if (!(this.parent instanceof Builder))
      throw new Error('expected the body of a Loop, found an outermost graph');
    return this.parent;
  }

  add(a: Operand, b: Operand): Value {
    return this.#binary('Add', a, b);
  }
  sub(a: Operand, b: Operand): Value {
    return this.#binary('Sub', a, b);
  }
  mul(a: Operand, b: Operand): Value {
    return this.#binary('Mul', a, b);
  }
  div(a: Operand, b: Operand): Value {
    return this.#binary('Div', a, b);
  }
  min(a: Operand, b: Operand): Value {
    return this.#binary('Min', a, b);
  }
  max(a: Operand, b: Operand): Value {
    return this.#binary('Max', a, b);
  }
  less(a: Operand, b: Operand): Value {
    return this.#binary('Less', a, b, 'bool');
  }
  lessOrEqual(a: Operand, b: Operand): Value {
    return this.#binary('LessOrEqual', a, b, 'bool');
  }
  equal(a: Operand, b: Operand): Value {
    return this.#binary('Equal', a, b, 'bool');
  }
  and(a: Value, b: Value): Value {
    return this.#binary('And', a, b, 'bool');
  }
  neg(a: Value): Value {
    return this.#unary('Neg', a);
  }
  exp(a: Value): Value {
    return this.#unary('Exp', a);
  }
  log(a: Value): Value {
    return this.#unary('Log', a);
  }
  sqrt(a: Value): Value {
    return this.#unary('Sqrt', a);
  }
  sigmoid(a: Value): Value {
    return this.#unary('Sigmoid', a);
  }
  identity(a: Value): Value {
    return this.#unary('Identity', a);
  }
  /** Over the last axis. */
  softmax(a: Value): Value {
    return this.#unary('Softmax', a, { axis: -1 });
  }
  /** Over the last axis. */
  logSoftmax(a: Value): Value {
    return this.#unary('LogSoftmax', a, { axis: -1 });
  }

  where(condition: Value, a: Operand, b: Operand): Value {
    const [x, y] = [this.#operand(a, b), this.#operand(b, a)];
    const shape = broadcastShape(condition.shape, broadcastShape(x.shape, y.shape));
    return this.one('Where', [condition, x, y], shape, { dtype: x.dtype });
  }

  cast(a: Value, dtype: DataType): Value {
    const to = dataTypes[dtype];
    return a.dtype === dtype ? a : this.one('Cast', [a], a.shape, { dtype, attributes: { to } });
  }

  /** [..., M, K] × [..., K, N] → [..., M, N], leading axes broadcast. */
  matmul(a: Value, b: Value): Value {
    const [k, k2] = [a.shape.at(-1), b.shape.at(-2)];
    if (typeof k === 'number' && typeof k2 === 'number' && k !== k2)
      throw new Error(
        `matmul: inner lengths differ in [${a.shape}] (${a.name}) and [${b.shape}] (${b.name})`,
      );
    const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
    return this.one('MatMul', [a, b], [...batch, a.shape.at(-2)!, b.shape.at(-1)!]);
  }

  /**
   * alpha · a' · b' over the last two axes, where ' transposes if asked; leading axes broadcast.
   * [..., M, K] × [..., K, N] → [..., M, N].
   */
  product(
    a: Value,
    b: Value,
    { transA = false, transB = false, alpha = 1 }: ProductOptions = {},
  ): Value {
    const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
    const shape = [...batch, a.shape.at(transA ? -1 : -2)!, b.shape.at(transB ? -2 : -1)!];
    return this.one('FusedMatMul', [a, b], shape, {
      attributes: { transA: Number(transA), transB: Number(transB), alpha: { float: alpha } },
    });
  }

  /**
   * a' · b' + c of matrices, where ' transposes if asked and c broadcasts: [M, K] × [K, N] → [M, N].
   * ONNX Runtime packs constant weights for its kernels when the session is created, but not in a
   * Loop inside a Loop.
   */
  gemm(
    a: Value,
    b: Value,
    c?: Value,
    { transA = false, transB = false }: ProductOptions = {},
  ): Value {
    const [m, k] = transA ? a.shape.toReversed() : a.shape;
    const [k2, n] = transB ? b.shape.toReversed() : b.shape;
    if (a.rank !== 2 || b.rank !== 2 || k !== k2)
      throw new Error(
        `gemm: expected matrices with equal inner lengths, found [${a.shape}] (${a.name}) and [${b.shape}] (${b.name})`,
      );
    const attributes = { transA: Number(transA), transB: Number(transB) };
    return this.one('Gemm', c ? [a, b, c] : [a, b], [m!, n!], { attributes });
  }

  /** Rows x [N, K] times a weight [M, K], as checkpoints store it, plus `addend` → [N, M]. */
  linear(x: Value, weight: Value, addend?: Value): Value {
    return this.gemm(x, weight, addend, { transB: true });
  }

  reshape(a: Value, shape: Shape): Value {
    if (String(a.shape) === String(shape)) return a;
    const named = shape.filter((d) => typeof d === 'string');
    const target =
      named.length > 1
        ? this.shapeValue(shape)
        : this.ints(shape.map((d) => (typeof d === 'number' ? d : -1)));
    return this.one('Reshape', [a, target], shape, { dtype: a.dtype });
  }

  transpose(a: Value, perm: readonly number[]): Value {
    const shape = perm.map((axis) => a.shape[axis]!);
    return this.one('Transpose', [a], shape, { dtype: a.dtype, attributes: { perm } });
  }

  sum(a: Value, axes: readonly number[], keep = true): Value {
    return this.#reduce('ReduceSum', a, axes, keep);
  }
  mean(a: Value, axes: readonly number[], keep = true): Value {
    return this.#reduce('ReduceMean', a, axes, keep);
  }
  /** Element-wise sum of values of one shape. */
  addAll(values: readonly Value[]): Value {
    return this.one('Sum', [...values], values[0]!.shape);
  }
  /** Maximum over the last axis, which is kept. */
  reduceMax(a: Value): Value {
    return this.#reduce('ReduceMax', a, [-1], true);
  }
  /** Minimum over the last axis, which is kept. */
  reduceMin(a: Value): Value {
    return this.#reduce('ReduceMin', a, [-1], true);
  }
  /** Sum over all axes, a scalar. */
  sumAll(a: Value): Value {
    return this.sum(a, [...a.shape.keys()], false);
  }
  /** Sum of squares over all axes, a scalar. */
  sumSquares(a: Value): Value {
    return this.#reduce('ReduceSumSquare', a, [...a.shape.keys()], false);
  }
  expand(a: Value, shape: Shape): Value {
    return this.one('Expand', [a, this.shapeValue(shape)], shape, { dtype: a.dtype });
  }
  zeros(shape: Shape): Value {
    return this.one('ConstantOfShape', [this.shapeValue(shape)], shape);
  }
  /** 0, 1, … as int64 [length]. */
  range(length: Dim): Value {
    const end = this.reshape(this.shapeValue([length]), []);
    return this.one('Range', [this.ints([0], []), end, this.ints([1], [])], [length], {
      dtype: 'int64',
    });
  }

  /**
   * Rows `index` of axis 0: [V, ...] and [...I] → [...I, ...]. `distinct` promises that no index
   * occurs twice, which makes the gradient cheap.
   */
  gather(a: Value, index: Value, { distinct = false } = {}): Value {
    const shape = [...index.shape, ...a.shape.slice(1)];
    const options = { dtype: a.dtype, attributes: { axis: 0 }, metadata: { distinct } };
    return this.one('Gather', [a, index], shape, options);
  }

  /** Elements of the last axis; `index` has the rank of `a`. */
  gatherElements(a: Value, index: Value): Value {
    const attributes = { axis: a.rank - 1 };
    return this.one('GatherElements', [a, index], index.shape, { dtype: a.dtype, attributes });
  }

  concat(values: readonly Value[], axis: number): Value {
    const at = axis < 0 ? axis + values[0]!.rank : axis;
    const lengths = values.map((v) => v.shape[at]!);
    const total = lengths.every((d) => typeof d === 'number')
      ? lengths.reduce<number>((sum, d) => sum + (d as number), 0)
      : lengths.join('+');
    const shape = values[0]!.shape.with(at, total);
    return this.one('Concat', [...values], shape, {
      dtype: values[0]!.dtype,
      attributes: { axis: at },
    });
  }

  /** Elements `start` to `end` (excluded) of one axis. */
  slice(a: Value, axis: number, start: number, end: number): Value {
    const at = axis < 0 ? axis + a.rank : axis;
    const inputs = [a, this.ints([start]), this.ints([end]), this.ints([at])];
    const shape = a.shape.with(at, end - start);
    return this.one('Slice', inputs, shape, { dtype: a.dtype });
  }

  /** Elements `start` to `end` (int64 [1], excluded) of axis 0; `length` is how many. */
  sliceRows(a: Value, start: Value, end: Value, length: Dim): Value {
    const shape = a.shape.with(0, length);
    return this.one('Slice', [a, start, end, this.ints([0])], shape, { dtype: a.dtype });
  }

  /** Split the last axis into pieces of the given lengths. */
  split(a: Value, lengths: readonly number[]): Value[] {
    const outputs = lengths.map((n) => ({ shape: a.shape.with(-1, n), dtype: a.dtype }));
    const attributes = { axis: a.rank - 1 };
    return this.node('Split', [a, this.ints(lengths)], outputs, { attributes });
  }

  /** Split the last axis into pieces of the lengths in int64 [pieces], which are named `names`. */
  splitBy(a: Value, lengths: Value, names: readonly Dim[]): Value[] {
    const outputs = names.map((name) => ({ shape: a.shape.with(-1, name), dtype: a.dtype }));
    return this.node('Split', [a, lengths], outputs, { attributes: { axis: a.rank - 1 } });
  }

  /** Cumulative sum over the last axis. */
  cumSum(a: Value): Value {
    return this.one('CumSum', [a, this.ints([a.rank - 1], [])], a.shape);
  }

  /** The `count` (int64 [1]) largest elements of the last axis, largest first. */
  topK(a: Value, count: Value): Value {
    const outputs = [{ shape: a.shape.with(-1, 'k') }, { shape: a.shape.with(-1, 'k') }];
    return this.node('TopK', [a, count], outputs, { attributes: { axis: a.rank - 1 } })[0]!;
  }

  /** Index of the largest element of the last axis (the first of equals); the axis is kept. */
  argMax(a: Value): Value {
    const attributes = { axis: a.rank - 1, keepdims: 1 };
    return this.one('ArgMax', [a], a.shape.with(-1, 1), { dtype: 'int64', attributes });
  }

  /**
   * A zero matrix of `shape` [V, D] with `updates` [N, D] added to the rows `index` [N].
   * Not by ScatterND: ONNX Runtime's adds rows of equal index from several threads without a lock
   * and loses some of them.
   */
  scatterAddRows(shape: Shape, index: Value, updates: Value): Value {
    const rows = this.expand(this.reshape(index, [index.shape[0]!, 1]), updates.shape);
    return this.one('ScatterElements', [this.zeros(shape), rows, updates], shape, {
      attributes: { axis: 0, reduction: 'add' },
    });
  }

  /** A zero matrix of `shape` [V, D] with `updates` [N, D] as the distinct rows `index` [N]. */
  scatterRows(shape: Shape, index: Value, updates: Value): Value {
    const rows = this.reshape(index, [index.shape[0]!, 1]);
    return this.one('ScatterND', [this.zeros(shape), rows, updates], shape);
  }

  /** A zero tensor of `shape` with `updates` at `index` of the last axis. */
  scatterElements(shape: Shape, index: Value, updates: Value): Value {
    return this.one('ScatterElements', [this.zeros(shape), index, updates], shape, {
      attributes: { axis: shape.length - 1 },
    });
  }

  /** y = x / rms(x) · weight over the last axis (RMSNorm, arXiv 1910.07467). */
  rmsNorm(x: Value, weight: Value, epsilon: number): Value {
    const inverse = x.shape.with(-1, 1);
    const attributes = { axis: -1, epsilon: { float: epsilon }, stash_type: 1 };
    const outputs = [{ shape: x.shape }, { shape: inverse }];
    return this.node('SimplifiedLayerNormalization', [x, weight], outputs, { attributes })[0]!;
  }

  /** x · sigmoid(x). */
  silu(x: Value): Value {
    const attributes = { alpha: { float: 1 } };
    return this.one('QuickGelu', [x], x.shape, { attributes });
  }

  /**
   * Rotary position embedding (arXiv 2104.09864), pairing halves as Hugging Face does.
   * x [B, T, heads · E]; positions int64 [B, T], or [1] for consecutive ones from that position;
   * cos and sin [longest, E / 2].
   */
  rotary(x: Value, positions: Value, cos: Value, sin: Value, heads: number): Value {
    const attributes = { num_heads: heads };
    return this.one('RotaryEmbedding', [x, positions, cos, sin], x.shape, { attributes });
  }

  /**
   * Run `body` while its condition holds, at most `trips` times.
   * The body's inputs are (iteration int64, condition bool, ...carried); its outputs are
   * (condition, ...carried, ...scanned). Returns the final carried values, then each scanned value
   * of all iterations stacked on a new first axis.
   */
  loop(trips: Value, condition: Value | undefined, carried: Value[], body: Builder): Value[] {
    const outputs = body.outputs.slice(1).map(({ shape, dtype }, i) => ({
      shape: i < carried.length ? body.inputs[i + 2]!.shape : ['iterations', ...shape],
      dtype,
    }));
    return this.node('Loop', [trips, condition, ...carried], outputs, {
      attributes: { body: { graph: body } },
    });
  }

  #operand(x: Operand, other: Operand): Value {
    if (typeof x !== 'number') return x;
    return typeof other !== 'number' && other.dtype === 'int64'
      ? this.ints([x], [])
      : this.scalar(x);
  }

  #binary(opType: Operator, a: Operand, b: Operand, dtype?: DataType): Value {
    const [x, y] = [this.#operand(a, b), this.#operand(b, a)];
    return this.one(opType, [x, y], broadcastShape(x.shape, y.shape), { dtype: dtype ?? x.dtype });
  }

  #unary(opType: Operator, a: Value, attributes: Record<string, Attribute> = {}): Value {
    return this.one(opType, [a], a.shape, { dtype: a.dtype, attributes });
  }

  #reduce(opType: Operator, a: Value, axes: readonly number[], keep: boolean): Value {
    const at = axes.map((axis) => (axis < 0 ? axis + a.rank : axis));
    const shape = keep
      ? a.shape.map((d, i) => (at.includes(i) ? 1 : d))
      : a.shape.filter((_, i) => !at.includes(i));
    return this.one(opType, [a, this.ints(at)], shape, {
      dtype: a.dtype,
      attributes: { keepdims: keep ? 1 : 0 },
    });
  }
}
