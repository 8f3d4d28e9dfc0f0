// The objective against values computed by hand: two learned tokens, three possible ones.

import { describe, expect, it } from 'vitest';
import { Builder } from '../../engine/graph/operators.ts';
import { serializeModel } from '../../engine/graph/serialize.ts';
import { Session } from '../../engine/runtime/session.ts';
import { type ObjectiveKind, objective, objectiveStats } from './objective.ts';

const token = {
  /** log π of the drawn tokens, with probabilities .5 and .2. */
  logprobs: [Math.log(0.5), Math.log(0.2)],
  old: [Math.log(0.25), Math.log(0.25)],
  reference: [Math.log(0.4), Math.log(0.3)],
  advantage: [1, -1],
  reward: [0.8, 0.8],
};
const bounds = { klCoefficient: 0.1, ratioLow: 0.9, ratioHigh: 1.5 };

async function evaluate(kind: ObjectiveKind) {
  const g = new Builder();
  const row = (xs: number[]) => g.constant(Float32Array.from(xs), [xs.length]);
  const distributions = [0.5, 0.3, 0.2, 0.7, 0.2, 0.1].map(Math.log);
  const { loss, stats } = objective(g, kind, g.constant(Float32Array.from(distributions), [2, 3]), {
    targets: g.ints([0, 1]),
    weight: row([0.5, 0.5]),
    advantage: row(token.advantage),
    reward: row(token.reward),
    oldLogprobs: row(token.old),
    referenceLogprobs: row(token.reference),
    klCoefficient: g.scalar(bounds.klCoefficient),
    ratioLow: g.scalar(bounds.ratioLow),
    ratioHigh: g.scalar(bounds.ratioHigh),
  });
  const model = serializeModel(g, [g.output('loss', loss), g.output('stats', stats)]);
  const session = await Session.create(model, { device: 'cpu', threads: 1 });
  const outputs = await session.run({});
  await session.release();
  const values = Array.from(outputs.stats!.data, Number);
  const named = Object.fromEntries(objectiveStats.map((name, i) => [name, values[i]!]));
  return { loss: Number(outputs.loss!.data[0]), stats: named };
}

/** d = log π − log π_ref. */
const d = token.logprobs.map((lp, i) => lp - token.reference[i]!);
const mean = (xs: number[]) => (xs[0]! + xs[1]!) / 2;
const k2 = mean(d.map((x) => (x * x) / 2));

describe('clipped_ratio', () => {
  it('clips a ratio of 2 at A > 0 to 1.5, and one of 0.8 at A < 0 to 0.9', async () => {
    const { loss, stats } = await evaluate('clipped_ratio');
    // min(2 · 1, 1.5 · 1) = 1.5 and min(0.8 · −1, 0.9 · −1) = −0.9.
    expect(stats.policy_loss).toBeCloseTo(-(1.5 - 0.9) / 2, 6);
    expect(stats.clip_high).toBeCloseTo(0.5, 6);
    expect(stats.clip_low).toBeCloseTo(0.5, 6);
    expect(loss).toBeCloseTo(-0.3 + 0.1 * k2, 6);
  });

  it('reports k2, k1 and k3 weighed by the ratio, and the entropy', async () => {
    const { stats } = await evaluate('clipped_ratio');
    const k3 = d.map((x) => Math.exp(-x) - 1 + x);
    expect(stats.k1).toBeCloseTo((2 * d[0]! + 0.8 * d[1]!) / 2, 6);
    expect(stats.k2).toBeCloseTo(k2, 6);
    expect(stats.k3).toBeCloseTo((2 * k3[0]! + 0.8 * k3[1]!) / 2, 6);
    const entropy = (ps: number[]) => -ps.reduce((sum, p) => sum + p * Math.log(p), 0);
    expect(stats.entropy).toBeCloseTo(
      mean([entropy([0.5, 0.3, 0.2]), entropy([0.7, 0.2, 0.1])]),
      6,
    );
  });
});

it('likelihood: −A·log π, and the original loss with the reward in its place', async () => {
  const { stats } = await evaluate('likelihood');
  const [a, b] = token.logprobs as [number, number];
  expect(stats.policy_loss).toBeCloseTo(-(a - b) / 2, 6);
  expect(stats.likelihood_loss).toBeCloseTo((-0.8 * (a + b)) / 2, 6);
});
