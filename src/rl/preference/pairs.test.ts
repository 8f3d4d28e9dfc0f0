import { describe, expect, it } from 'vitest';
import type { ScoredRollout } from '../../records/rollouts.ts';
import { preferencePairs, splitPairs } from './pairs.ts';

const sample = (
  promptId: string,
  index: number,
  reward: number | null,
  program: string | null = `${promptId}${index}`,
): ScoredRollout => ({
  promptId,
  sample: index,
  tokens: [],
  logprobs: [],
  finish: 'stop',
  program,
  reward,
  text: `${promptId}${index}`,
  rewards: { style: { value: reward === null ? null : 1 - reward, criteria: {} } },
});
const group = (promptId: string, rewards: (number | null)[]) =>
  rewards.map((reward, i) => sample(promptId, i, reward));
const settings = { perGroup: 4, minDifference: 0.2 };
const pairsOf = (samples: ScoredRollout[], changes: object = {}) =>
  preferencePairs(samples, (id) => `prompt ${id}`, { ...settings, ...changes }).map(
    ({ chosen, rejected }) => `${chosen} > ${rejected}`,
  );

describe('preferencePairs', () => {
  it('takes the best against the worst of a group, then the next, and never across groups', () => {
    const samples = [...group('a', [0.5, 0.9, 0.1, 0.2]), ...group('b', [0, 1])];
    expect(pairsOf(samples)).toEqual(['a1 > a2', 'a0 > a3', 'b1 > b0']);
    expect(pairsOf(samples, { perGroup: 1 })).toEqual(['a1 > a2', 'b1 > b0']);
  });

  it('names prompt and margin', () => {
    const [pair] = preferencePairs(group('a', [0.25, 1]), (id) => `prompt ${id}`, settings);
    const texts = { chosen: 'a1', rejected: 'a0' };
    expect(pair).toEqual({ id: 'a', prompt: 'prompt a', ...texts, margin: 0.75 });
  });

  it('needs the minimum difference, and a difference at all', () => {
    expect(pairsOf(group('a', [0.5, 0.6]))).toEqual([]);
    expect(pairsOf(group('a', [0.5, 0.6]), { minDifference: 0.05 })).toEqual(['a1 > a0']);
    expect(pairsOf(group('a', [0.5, 0.5]), { minDifference: 0 })).toEqual([]);
  });

  it('counts the same program once', () => {
    const samples = [sample('a', 0, 1, 'x'), sample('a', 1, 1, 'x'), sample('a', 2, 0, 'y')];
    expect(pairsOf(samples)).toEqual(['a0 > a2']);
  });

  it('leaves out samples without a reward, and broken ones unless asked for', () => {
    const samples = [...group('a', [1, null, 0.4]), sample('a', 3, 0, null)];
    expect(pairsOf(samples)).toEqual(['a0 > a2']);
    expect(pairsOf(samples, { includeBroken: true })).toEqual(['a0 > a3']);
  });

  it('compares only the named reward', () => {
    expect(pairsOf(group('a', [1, 0.4]), { reward: 'style' })).toEqual(['a1 > a0']);
    expect(pairsOf(group('a', [1, 0.4]), { reward: 'none' })).toEqual([]);
  });
});

describe('splitPairs', () => {
  const pairs = Array.from({ length: 40 }, (_, i) => ({ prompt: `p${i % 10}`, i }));

  it('holds out whole prompts, and loses no pair', () => {
    const { train, heldOut } = splitPairs(pairs, 0.25, 1);
    const promptsOf = (part: typeof pairs) => new Set(part.map(({ prompt }) => prompt));
    expect(promptsOf(heldOut).size).toBe(3);
    expect([...promptsOf(train)].filter((prompt) => promptsOf(heldOut).has(prompt))).toEqual([]);
    expect([...train, ...heldOut].toSorted((a, b) => a.i - b.i)).toEqual(pairs);
  });

  it('splits pairs made later the same way, if given the prompts of both', () => {
    const prompts = Array.from({ length: 10 }, (_, i) => `p${i}`);
    const all = splitPairs(pairs, 0.25, 1, prompts);
    const some = splitPairs(pairs.slice(0, 7), 0.25, 1, prompts);
    expect(some.heldOut).toEqual(all.heldOut.filter(({ i }) => i < 7));
    expect(some.train).toEqual(all.train.filter(({ i }) => i < 7));
  });

  it('is drawn by the seed', () => {
    expect(splitPairs(pairs, 0.25, 1)).toEqual(splitPairs(pairs, 0.25, 1));
    expect(splitPairs(pairs, 0.25, 1)).not.toEqual(splitPairs(pairs, 0.25, 2));
  });
});
