// Compares every gradient rule with central finite differences of its operator, on the same
// runtime. A rule without a case here fails the last test.

import { describe, expect, it } from 'vitest';
import { backward } from '../../src/engine/autodiff/backward.ts';
import { rules } from '../../src/engine/autodiff/rules.ts';
import type { Value } from '../../src/engine/graph/graph.ts';
import { Builder } from '../../src/engine/graph/operators.ts';
import { serializeModel } from '../../src/engine/graph/serialize.ts';
import { Session, type TensorData } from '../../src/engine/runtime/session.ts';
import { uniforms } from '../../src/engine/sampling/random.ts';
import { engine } from './fixture.ts';
import { tolerances } from './tolerances.ts';

interface Case {
  operator: string;
  /** Shapes of the inputs that are differentiated. */
  inputs: number[][];
  /** Keep inputs positive, for operators that need it. */
  positive?: boolean;
  build: (g: Builder, ...x: Value[]) => Value;
}

const indices = (g: Builder, xs: number[], shape: number[]) => g.ints(xs, shape);

const cases: Case[] = [
  { operator: 'Add', inputs: [[2, 3], [3]], build: (g, a, b) => g.add(a!, b!) },
  {
    operator: 'Sub',
    inputs: [
      [2, 3],
      [2, 1],
    ],
    build: (g, a, b) => g.sub(a!, b!),
  },
  {
    operator: 'Mul',
    inputs: [
      [2, 3],
      [1, 3],
    ],
    build: (g, a, b) => g.mul(a!, b!),
  },
  { operator: 'Mul', inputs: [[2, 3], []], build: (g, a, b) => g.mul(a!, b!) },
  { operator: 'Div', inputs: [[2, 3], [3]], positive: true, build: (g, a, b) => g.div(a!, b!) },
  { operator: 'Min', inputs: [[3, 4], [4]], build: (g, a, b) => g.min(a!, b!) },
  { operator: 'Max', inputs: [[3, 4], [4]], build: (g, a, b) => g.max(a!, b!) },
  { operator: 'Neg', inputs: [[5]], build: (g, a) => g.neg(a!) },
  { operator: 'Exp', inputs: [[5]], build: (g, a) => g.exp(a!) },
  { operator: 'Log', inputs: [[5]], positive: true, build: (g, a) => g.log(a!) },
  { operator: 'Sqrt', inputs: [[5]], positive: true, build: (g, a) => g.sqrt(a!) },
  { operator: 'Sigmoid', inputs: [[5]], build: (g, a) => g.sigmoid(a!) },
  { operator: 'Identity', inputs: [[5]], build: (g, a) => g.identity(a!) },
  { operator: 'Softmax', inputs: [[2, 5]], build: (g, a) => g.softmax(a!) },
  { operator: 'LogSoftmax', inputs: [[2, 5]], build: (g, a) => g.logSoftmax(a!) },
  {
    operator: 'Where',
    inputs: [[2, 3], [3]],
    build: (g, a, b) => g.where(g.less(g.constant(Float32Array.of(1, -1, 1), [3]), 0), a!, b!),
  },
  {
    operator: 'MatMul',
    inputs: [
      [2, 3, 4],
      [2, 4, 5],
    ],
    build: (g, a, b) => g.matmul(a!, b!),
  },
  {
    operator: 'MatMul',
    inputs: [
      [2, 2, 3, 4],
      [1, 2, 4, 5],
    ],
    build: (g, a, b) => g.matmul(a!, b!),
  },
  {
    operator: 'FusedMatMul',
    inputs: [
      [2, 3, 4],
      [2, 5, 4],
    ],
    build: (g, a, b) => g.product(a!, b!, { transB: true, alpha: 0.7 }),
  },
  {
    operator: 'FusedMatMul',
    inputs: [
      [2, 4, 3],
      [2, 4, 5],
    ],
    build: (g, a, b) => g.product(a!, b!, { transA: true }),
  },
  {
    operator: 'FusedMatMul',
    inputs: [
      [2, 4, 3],
      [1, 5, 4],
    ],
    build: (g, a, b) => g.product(a!, b!, { transA: true, transB: true }),
  },
  {
    operator: 'Gemm',
    inputs: [[3, 4], [5, 4], [5]],
    build: (g, a, b, c) => g.linear(a!, b!, c!),
  },
  {
    operator: 'Gemm',
    inputs: [
      [3, 4],
      [4, 5],
    ],
    build: (g, a, b) => g.gemm(a!, b!),
  },
  { operator: 'Reshape', inputs: [[2, 6]], build: (g, a) => g.reshape(a!, [3, 4]) },
  { operator: 'Transpose', inputs: [[2, 3, 4]], build: (g, a) => g.transpose(a!, [2, 0, 1]) },
  { operator: 'ReduceSum', inputs: [[2, 3, 4]], build: (g, a) => g.sum(a!, [0, -1], false) },
  { operator: 'ReduceMean', inputs: [[2, 3, 4]], build: (g, a) => g.mean(a!, [1]) },
  { operator: 'Expand', inputs: [[2, 1, 4]], build: (g, a) => g.expand(a!, [2, 3, 4]) },
  {
    operator: 'Gather',
    inputs: [[4, 3]],
    build: (g, a) => g.gather(a!, indices(g, [0, 2, 2, 2, 3, 0], [6])),
  },
  {
    operator: 'Gather',
    inputs: [[4, 3]],
    build: (g, a) => g.gather(a!, indices(g, [2, 0, 3], [3]), { distinct: true }),
  },
  { operator: 'QuickGelu', inputs: [[5]], build: (g, a) => g.silu(a!) },
  {
    operator: 'RotaryEmbedding',
    inputs: [[1, 3, 8]],
    build: (g, a) => {
      const angles = [0.3, 0.1, 0.6, 0.2, 0.9, 0.3, 1.2, 0.4];
      const table = (of: (x: number) => number) =>
        g.constant(Float32Array.from(angles, of), [4, 2]);
      return g.rotary(a!, g.ints([1]), table(Math.cos), table(Math.sin), 2);
    },
  },
  {
    operator: 'GatherElements',
    inputs: [[2, 5]],
    build: (g, a) => g.gatherElements(a!, indices(g, [4, 0], [2, 1])),
  },
  {
    operator: 'Concat',
    inputs: [
      [2, 3],
      [2, 2],
    ],
    build: (g, a, b) => g.concat([a!, b!, a!], 1),
  },
  { operator: 'Slice', inputs: [[3, 6]], build: (g, a) => g.slice(a!, 1, 1, 4) },
  {
    operator: 'SimplifiedLayerNormalization',
    inputs: [[3, 6], [6]],
    build: (g, a, b) => g.rmsNorm(a!, b!, 1e-6),
  },
];

describe('gradient rules', () => {
  it.each(cases)('$operator over $inputs', async (one) => {
    const { session, feeds } = await prepare(one);
    const analytic = await session.run(feeds);
    for (const name of Object.keys(feeds)) {
      const numeric = await finiteDifference(session, feeds, name);
      const gradient = analytic[`grad.${name}`]!.data as Float32Array;
      numeric.forEach((value, i) => {
        expect(Math.abs(gradient[i]! - value), `${name}[${i}]`).toBeLessThan(
          tolerances.finiteDifference * Math.max(1, Math.abs(value)),
        );
      });
    }
  });

  it('sum rows with a repeated index, with the same result in every run', async () => {
    const g = new Builder();
    const table = g.input('table', [3, 64]);
    const index = g.ints(Array.from({ length: 4096 }, (_, i) => i % 3));
    const [gradient] = backward(g, g.sumAll(g.gather(table, index)), [table]);
    const model = serializeModel(g, [g.output('gradient', gradient!)]);
    const session = await Session.create(model, engine);
    const feeds = { table: { data: new Float32Array(192), shape: [3, 64] } };
    for (let i = 0; i < 20; i++) {
      const { gradient: found } = await session.run(feeds);
      expect([found!.data[0], found!.data[64], found!.data[128]]).toEqual([1366, 1365, 1365]);
    }
  });

  it('are missing for some operators, each with a reason', () => {
    const g = new Builder();
    const x = g.input('x', [2, 3]);
    expect(() => backward(g, g.sumAll(g.cumSum(x)), [x])).toThrow(
      /no gradient of operator CumSum \(CumSum_\d+\): drawing tokens is not differentiated/,
    );
    const rows = g.sliceRows(x, g.input('start', [1], 'int64'), g.ints([2]), 1);
    expect(() => backward(g, g.sumAll(rows), [x])).toThrow(/Slice with a computed input 1/);
  });

  it('each have a case', () => {
    expect(new Set(cases.map((c) => c.operator))).toEqual(new Set(Object.keys(rules)));
  });
});

/** loss = Σ weights · operator(inputs), with its gradients. */
async function prepare({ inputs, positive, build }: Case) {
  const g = new Builder();
  const random = uniforms('operators', JSON.stringify(inputs));
  const noise = (count: number, low: number) =>
    Float32Array.from({ length: count }, () => low + 2 * random());
  const size = (shape: readonly number[]) => shape.reduce((n, d) => n * d, 1);
  const values = inputs.map((shape, i) => g.input(`x${i}`, shape));
  const out = build(g, ...values);
  const shape = out.shape as number[];
  const weights = g.constant(noise(size(shape), -1), shape);
  const loss = g.sumAll(g.mul(out, weights));
  const gradients = backward(g, loss, values);
  const model = serializeModel(g, [
    g.output('loss', loss),
    ...gradients.map((v, i) => g.output(`grad.x${i}`, v)),
  ]);
  const session = await Session.create(model, engine);
  const feeds = Object.fromEntries(
    inputs.map((shape, i) => [`x${i}`, { data: noise(size(shape), positive ? 0.5 : -1), shape }]),
  );
  return { session, feeds };
}

async function finiteDifference(
  session: Session,
  feeds: Record<string, TensorData<Float32Array>>,
  name: string,
): Promise<number[]> {
  const step = 1e-2;
  const { data, shape } = feeds[name]!;
  const lossAt = async (i: number, x: number) => {
    const moved = { ...feeds, [name]: { data: data.with(i, x), shape } };
    return Number((await session.run(moved, ['loss'])).loss!.data[0]);
  };
  const numeric: number[] = [];
  for (let i = 0; i < data.length; i++) {
    const difference = (await lossAt(i, data[i]! + step)) - (await lossAt(i, data[i]! - step));
    numeric.push(difference / (2 * step));
  }
  return numeric;
}
