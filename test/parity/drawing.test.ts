// Compares drawing with transformers' warpers, using the fixtures of make_fixtures.py: the tokens
// that top-k, top-p and min-p leave, how often each is drawn, and its reported log-probability.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Builder } from '../../src/engine/graph/operators.ts';
import { serializeModel } from '../../src/engine/graph/serialize.ts';
import { Session } from '../../src/engine/runtime/session.ts';
import { type DrawOptions, draw, drawInputs } from '../../src/engine/sampling/draw.ts';
import { engine, fixtureFolder } from './fixture.ts';

interface Case {
  top_k?: number;
  top_p?: number;
  min_p?: number;
  probabilities: number[][];
}
const expected = JSON.parse(readFileSync(fixtureFolder('drawing.json'), 'utf8')) as {
  temperature: number;
  logits: number[][];
  logprobs: number[][];
  cases: Case[];
};
const none: Case = { probabilities: expected.logprobs.map((row) => row.map(Math.exp)) };

/**
 * Uniforms that cover [0, 1) evenly, so that each token is drawn in proportion to its probability.
 */
const grid = Array.from({ length: 2000 }, (_, i) => Math.fround((i + 0.5) / 2000));

async function drawAll(row: number, { top_k, top_p, min_p }: Case, greedy = false) {
  const options: DrawOptions = {
    greedy,
    topK: top_k !== undefined,
    topP: top_p !== undefined,
    minP: min_p !== undefined,
  };
  const V = expected.logits[row]!.length;
  const g = new Builder();
  const logits = g.shapedInput('logits', ['B', V]);
  const uniforms = g.input('uniforms', ['B', 1]);
  const inputs = drawInputs(g, options);
  const scaled = g.mul(logits, inputs.inverseTemperature);
  const { token, probability } = draw(g, options, inputs, scaled, uniforms);
  const session = await Session.create(
    serializeModel(g, [g.output('token', token), g.output('probability', probability)]),
    engine,
  );
  const scalar = (x: number) => ({ data: Float32Array.of(x), shape: [] });
  const B = grid.length;
  const outputs = await session.run({
    logits: { data: Float32Array.from(grid.flatMap(() => expected.logits[row]!)), shape: [B, V] },
    uniforms: { data: Float32Array.from(grid), shape: [B, 1] },
    inverse_temperature: scalar(1 / expected.temperature),
    ...(top_k && { top_k: { data: BigInt64Array.of(BigInt(top_k)), shape: [1] } }),
    ...(top_p && { top_p: scalar(top_p) }),
    ...(min_p && { min_p: scalar(min_p) }),
  });
  await session.release();
  return {
    tokens: Array.from(outputs.token!.data, Number),
    probabilities: Array.from(outputs.probability!.data, Number),
  };
}

describe.each([none, ...expected.cases])('top_k $top_k, top_p $top_p, min_p $min_p', (one) => {
  it.each([0, 1, 2, 3])('row %i', async (row) => {
    const { tokens, probabilities } = await drawAll(row, one);
    const counts = new Array(expected.logits[row]!.length).fill(0);
    for (const token of tokens) counts[token]++;
    one.probabilities[row]!.forEach((share, token) => {
      // The edges of a token's interval lie between points of the grid.
      expect(Math.abs(counts[token] - share * grid.length), `token ${token}`).toBeLessThan(1.01);
      if (share === 0) expect(counts[token]).toBe(0);
    });
    tokens.forEach((token, i) => {
      const logprob = expected.logprobs[row]![token]!;
      expect(Math.abs(Math.log(probabilities[i]!) - logprob)).toBeLessThan(1e-4);
    });
  });
});

it('greedy takes the likeliest token', async () => {
  const { tokens } = await drawAll(1, none, true);
  const row = expected.logits[1]!;
  expect(new Set(tokens)).toEqual(new Set([row.indexOf(Math.max(...row))]));
});
