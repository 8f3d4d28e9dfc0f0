import { expect, it } from 'vitest';
import { RolloutBatch } from './rollout-batch.ts';
import type { RolloutRequest } from './rollout-request.ts';

/** Samples end with token 0; the value of a uniform shows which sample it is for. */
const request = (prompts: number[][], samplesPerPrompt: number): RolloutRequest => ({
  prompts,
  samplesPerPrompt,
  maxNewTokens: 8,
  temperature: 1,
  topK: null,
  topP: 1,
  minP: 0,
  uniforms: (prompt, sample) => () => prompt / 2 + sample / 8,
  endOf: () => (tokens) => (tokens.includes(0) ? tokens.indexOf(0) + 1 : undefined),
});

const tensor = (tokens: number[]) => ({
  data: BigInt64Array.from(tokens, BigInt),
  shape: [tokens.length, 1],
});
const halves = (count: number) => ({ data: new Float32Array(count).fill(0.5), shape: [count, 1] });
const take = (batch: RolloutBatch, tokens: number[]) =>
  batch.take(tensor(tokens), halves(tokens.length));

it('pads prompts at their end and gives the row of each last token', () => {
  const { tokens, last, uniforms } = new RolloutBatch(request([[5], [6, 7, 8]], 2)).promptFeeds();
  expect(tokens!.shape).toEqual([2, 16]);
  expect([...tokens!.data.slice(16, 20)]).toEqual([6n, 7n, 8n, 0n]);
  expect([...last!.data]).toEqual([0n, 18n]);
  expect([...uniforms!.data]).toEqual([0, 0.125, 0.5, 0.625]);
});

it('cuts a sample at its end and drops what was drawn after it', () => {
  const batch = new RolloutBatch(request([[5]], 2));
  take(batch, [3, 4]);
  // Two steps of two sequences.
  take(batch, [0, 1, 9, 2]);
  expect(batch.results().map(({ tokens }) => tokens)).toEqual([
    [3, 0],
    [4, 1, 2],
  ]);
  expect(batch.results().map(({ ended }) => ended)).toEqual([true, false]);
  expect(batch.results()[0]!.logprobs).toEqual([Math.log(0.5), Math.log(0.5)]);
});

it('shrinks to the unfinished prompts and to the widest of their groups', () => {
  const batch = new RolloutBatch(request([[5], [6], [7]], 3));
  take(batch, [1, 1, 1, 0, 0, 0, 0, 2, 0]);
  // Groups of 3, 0 and 1 leave two prompts by three samples of nine rows, which is worth it.
  const kept = batch.shrink();
  expect(kept).toEqual({ prompts: [0, 2], rows: [0, 1, 2, 7, 6, 8] });
  expect(batch.shape).toEqual([2, 3]);
  const { prompt_lengths, token, uniforms } = batch.chunkFeeds(1);
  expect([...prompt_lengths!.data]).toEqual([1n, 1n]);
  expect([...token!.data]).toEqual([1n, 1n, 1n, 2n, 0n, 0n]);
  // The fourth row is the third prompt's second sample: 1 + 1/8.
  expect(uniforms!.data[3]).toBeCloseTo(1.125);
  expect(batch.shrink()).toBeUndefined();
});

it('does not shrink if little would be gained', () => {
  const batch = new RolloutBatch(request([[5], [6]], 4));
  take(batch, [1, 1, 1, 0, 1, 1, 1, 1]);
  expect(batch.shrink()).toBeUndefined();
});
