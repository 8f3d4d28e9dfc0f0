// The operators that the models are made of, each with its shape rule. One method is one ONNX
// operator (opset 18), or a short composition where ONNX has none. Gradients: ../autodiff.

import { Graph } from './graph.ts';
import {
  type Attribute,
  type DataType,
  type Dim,
  dataTypes,
  type Shape,
  type Value,
} from './value.ts';

type Operand = Value | number;

/** Shape of an element-wise operation (NumPy broadcasting). @throws where shapes disagree */
export function broadcastShape(a: Shape, b: Shape): Shape {
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

/** Whether a value is the same in every run: an initializer, or one cast to another type. */
function isConstant(value: Value): boolean {
  if (value.data) return true;
  return value.producer?.opType === 'Cast' && isConstant(value.producer.inputs[0]!);
}

/** A graph with a method for every operator. */
export class Builder extends Graph {
  private readonly transposed = new Map<Value, Value>();

  /** A body for `loop`: its nodes see the values of this graph. */
  body(): Builder {
    return new Builder(this);
  }

  add(a: Operand, b: Operand): Value {
    return this.binary('Add', a, b);
  }
  sub(a: Operand, b: Operand): Value {
    return this.binary('Sub', a, b);
  }
  mul(a: Operand, b: Operand): Value {
    return this.binary('Mul', a, b);
  }
  div(a: Operand, b: Operand): Value {
    return this.binary('Div', a, b);
  }
  min(a: Operand, b: Operand): Value {
    return this.binary('Min', a, b);
  }
  max(a: Operand, b: Operand): Value {
    return this.binary('Max', a, b);
  }
  less(a: Operand, b: Operand): Value {
    return this.binary('Less', a, b, 'bool');
  }
  lessOrEqual(a: Operand, b: Operand): Value {
    return this.binary('LessOrEqual', a, b, 'bool');
  }
  equal(a: Operand, b: Operand): Value {
    return this.binary('Equal', a, b, 'bool');
  }
  and(a: Value, b: Value): Value {
    return this.binary('And', a, b, 'bool');
  }
  or(a: Value, b: Value): Value {
    return this.binary('Or', a, b, 'bool');
  }
  not(a: Value): Value {
    return this.unary('Not', a);
  }
  neg(a: Value): Value {
    return this.unary('Neg', a);
  }
  exp(a: Value): Value {
    return this.unary('Exp', a);
  }
  log(a: Value): Value {
    return this.unary('Log', a);
  }
  sqrt(a: Value): Value {
    return this.unary('Sqrt', a);
  }
  sigmoid(a: Value): Value {
    return this.unary('Sigmoid', a);
  }
  identity(a: Value): Value {
    return this.unary('Identity', a);
  }
  /** Over the last axis. */
  softmax(a: Value): Value {
    return this.unary('Softmax', a, { axis: -1 });
  }
  /** Over the last axis. */
  logSoftmax(a: Value): Value {
    return this.unary('LogSoftmax', a, { axis: -1 });
  }

  where(condition: Value, a: Operand, b: Operand): Value {
    const [x, y] = [this.operand(a, b), this.operand(b, a)];
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
      throw new Error(`matmul of [${a.shape}] (${a.name}) and [${b.shape}] (${b.name})`);
    const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
    return this.one('MatMul', [a, b], [...batch, a.shape.at(-2)!, b.shape.at(-1)!]);
  }

  /**
   * x [..., K] times a weight [N, K] as checkpoints store it → [..., N]. A constant weight is
   * transposed outside of all loops, where the runtime folds it and packs it for its kernels; one
   * that changes from run to run is read as it lies.
   */
  linear(x: Value, weight: Value): Value {
    if (isConstant(weight)) return this.matmul(x, this.transposedConstant(weight));
    const attributes = { transB: 1 };
    const options = { attributes, domain: 'com.microsoft' } as const;
    return this.one('FusedMatMul', [x, weight], x.shape.with(-1, weight.dim(0)), options);
  }

  private transposedConstant(weight: Value): Value {
    if (this.parent instanceof Builder) return this.parent.transposedConstant(weight);
    const known = this.transposed.get(weight) ?? this.transpose(weight, [1, 0]);
    this.transposed.set(weight, known);
    return known;
  }

  /** a [M, K], b [M, N] → aᵀ·b [K, N]. */
  matmulTransposed(a: Value, b: Value): Value {
    const attributes = { transA: 1 };
    const options = { attributes, domain: 'com.microsoft' } as const;
    return this.one('FusedMatMul', [a, b], [a.dim(1), b.dim(1)], options);
  }

  /** To a shape of known lengths; at most one symbolic length is worked out when it runs. */
  reshape(a: Value, shape: Shape): Value {
    const target = this.ints(shape.map((d) => (typeof d === 'number' ? d : -1)));
    return this.one('Reshape', [a, target], shape, { dtype: a.dtype });
  }

  transpose(a: Value, perm: readonly number[]): Value {
    const shape = perm.map((axis) => a.shape[axis]!);
    return this.one('Transpose', [a], shape, { dtype: a.dtype, attributes: { perm } });
  }

  /** Exchange the last two axes. */
  swapLast(a: Value): Value {
    const perm = a.shape.map((_, i) => i);
    return this.transpose(a, [...perm.slice(0, -2), a.rank - 1, a.rank - 2]);
  }

  sum(a: Value, axes: readonly number[], keep = true): Value {
    return this.reduce('ReduceSum', a, axes, keep);
  }
  mean(a: Value, axes: readonly number[], keep = true): Value {
    return this.reduce('ReduceMean', a, axes, keep);
  }
  /** Over every axis, to a scalar. */
  sumAll(a: Value): Value {
    return this.sum(a, [...a.shape.keys()], false);
  }
  expand(a: Value, shape: readonly number[]): Value {
    return this.one('Expand', [a, this.ints(shape)], shape, { dtype: a.dtype });
  }
  zeros(shape: readonly number[]): Value {
    return this.one('ConstantOfShape', [this.ints(shape)], shape);
  }

  /** Rows `index` of axis 0: [V, ...] and [...I] → [...I, ...]. */
  gather(a: Value, index: Value): Value {
    const shape = [...index.shape, ...a.shape.slice(1)];
    return this.one('Gather', [a, index], shape, { dtype: a.dtype, attributes: { axis: 0 } });
  }

  /** Elements of the last axis: index has the rank of `a`. */
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
    return this.one('Slice', inputs, shape, { dtype: a.dtype, axes: [at, start, end] });
  }

  /** Cumulative sum over the last axis. */
  cumSum(a: Value): Value {
    return this.one('CumSum', [a, this.ints([a.rank - 1], [])], a.shape);
  }

  /** Index of the largest element of the last axis (the first of equals), axis kept. */
  argMax(a: Value): Value {
    const attributes = { axis: a.rank - 1, keepdims: 1 };
    return this.one('ArgMax', [a], a.shape.with(-1, 1), { dtype: 'int64', attributes });
  }

  /**
   * A zero matrix of `shape` [V, D] with `updates` [N, D] added to the rows `index` [N].
   * Not ScatterND: onnxruntime's adds rows of equal index from several threads without a lock,
   * which loses some of them.
   */
  scatterAddRows(shape: readonly number[], index: Value, updates: Value): Value {
    const rows = this.expand(this.reshape(index, [index.dim(0), 1]), updates.dims);
    return this.one('ScatterElements', [this.zeros(shape), rows, updates], shape, {
      attributes: { axis: 0, reduction: 'add' },
    });
  }

  /** A zero tensor of `shape` with `updates` at `index` of the last axis. */
  scatterElements(shape: readonly number[], index: Value, updates: Value): Value {
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

  /**
   * Run `body` while its condition holds, `trips` times at most.
   * The body's inputs are (iteration int64, condition bool, ...carried); its outputs are
   * (condition, ...carried).
   */
  loop(trips: Value, condition: Value | undefined, carried: Value[], body: Builder): Value[] {
    const outputs = body.inputs.slice(2).map(({ shape, dtype }) => ({ shape, dtype }));
    return this.node('Loop', [trips, condition, ...carried], outputs, {
      attributes: { body: { graph: body } },
    });
  }

  /** `value` under the name by which it is fetched. */
  output(name: string, value: Value): Value {
    const options = { shape: value.shape, dtype: value.dtype, name };
    return this.node('Identity', [value], [options])[0]!;
  }

  /** A node with one output. */
  one(
    opType: string,
    inputs: (Value | undefined)[],
    shape: Shape,
    options: {
      dtype?: DataType;
      attributes?: Record<string, Attribute>;
      axes?: readonly number[];
      domain?: '' | 'com.microsoft';
    } = {},
  ): Value {
    return this.node(opType, inputs, [{ shape, dtype: options.dtype ?? 'float32' }], options)[0]!;
  }

  private operand(x: Operand, other: Operand): Value {
    if (typeof x !== 'number') return x;
    return typeof other !== 'number' && other.dtype === 'int64'
      ? this.ints([x], [])
      : this.scalar(x);
  }

  private binary(opType: string, a: Operand, b: Operand, dtype?: DataType): Value {
    const [x, y] = [this.operand(a, b), this.operand(b, a)];
    return this.one(opType, [x, y], broadcastShape(x.shape, y.shape), { dtype: dtype ?? x.dtype });
  }

  private unary(opType: string, a: Value, attributes: Record<string, Attribute> = {}): Value {
    return this.one(opType, [a], a.shape, { dtype: a.dtype, attributes });
  }

  private reduce(opType: string, a: Value, axes: readonly number[], keep: boolean): Value {
    const at = axes.map((axis) => (axis < 0 ? axis + a.rank : axis));
    const shape = keep
      ? a.shape.map((d, i) => (at.includes(i) ? 1 : d))
      : a.shape.filter((_, i) => !at.includes(i));
    return this.one(opType, [a, this.ints(at)], shape, {
      dtype: a.dtype,
      attributes: { keepdims: keep ? 1 : 0 },
      axes: at,
    });
  }
}
