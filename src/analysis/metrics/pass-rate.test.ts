import { describe, expect, it } from 'vitest';
import type { ScoredRollout } from '../../records/rollouts.ts';
import { passAtK, passAtPowers, passRate } from './pass-rate.ts';

/** A prompt's samples by their share of tests passed; null is a sample without a verdict. */
function group(promptId: string, ...correctness: (number | null)[]): ScoredRollout[] {
  return correctness.map((share, sample) => ({
    promptId,
    sample,
    tokens: [1],
    logprobs: [0],
    text: '',
    finish: 'stop',
    reward: share,
    rewards: {
      rubric: { value: share, criteria: share === null ? {} : { correctness: share } },
    },
  }));
}

describe('passAtK', () => {
  it.each([
    // 1 - C(n - c, k) / C(n, k)
    [4, 1, 1, 1 / 4],
    [4, 1, 2, 1 - 3 / 6],
    [4, 1, 4, 1],
    [5, 2, 2, 1 - 3 / 10],
    [5, 2, 3, 1 - 1 / 10],
    [10, 3, 5, 1 - 21 / 252],
    [8, 0, 8, 0],
    [8, 8, 1, 1],
    [3, 2, 2, 1],
  ])('of n %i, c %i, k %i is %d', (n, c, k, expected) => {
    expect(passAtK(n, c, k)).toBeCloseTo(expected, 12);
  });

  it('equals the mean over all choices of k', () => {
    // Two of {pass, fail, fail, pass, fail}: ten pairs, three of them without a pass.
    const passed = [true, false, false, true, false];
    const pairs = passed.flatMap((a, i) => passed.slice(i + 1).map((b) => a || b));
    expect(passAtK(5, 2, 2)).toBeCloseTo(pairs.filter(Boolean).length / pairs.length, 12);
  });

  it('stays finite when the binomials overflow', () => {
    // C(5000, 2500) is over the largest double; (n - c choose k) / (n choose k) is 1/2 at c = 1.
    expect(passAtK(5000, 1, 2500)).toBeCloseTo(0.5, 12);
  });

  it.each([
    [2, 1, 3],
    [2, 3, 1],
    [2, 1, 0],
    [2, -1, 1],
  ])('refuses n %i, c %i, k %i', (n, c, k) => {
    expect(() => passAtK(n, c, k)).toThrow(RangeError);
  });
});

describe('passAtPowers', () => {
  it('is a mean over prompts, for powers of two and the group size', () => {
    const groups = [group('a', 1, 0, 0.5, 0, 0, 0), group('b', 1, 1, 1, 0, 0, 0)];
    const shares = passAtPowers(groups);
    expect(Object.keys(shares)).toEqual(['pass@1', 'pass@2', 'pass@4', 'pass@6']);
    expect(shares['pass@1']).toBeCloseTo((1 / 6 + 3 / 6) / 2, 12);
    expect(shares['pass@2']).toBeCloseTo((5 / 15 + 12 / 15) / 2, 12);
    expect(shares['pass@4']).toBeCloseTo((10 / 15 + 15 / 15) / 2, 12);
    expect(shares['pass@6']).toBe(1);
    expect(shares['pass@1']).toBeCloseTo(passRate(groups.flat())!, 12);
  });

  it('leaves out prompts with too few judged samples for k', () => {
    const shares = passAtPowers([group('a', 1, null), group('b', 0, 0)]);
    expect(shares).toEqual({ 'pass@1': 0.5, 'pass@2': 0 });
    expect(passAtPowers([group('a', 1, null)])).toEqual({ 'pass@1': 1, 'pass@2': null });
  });

  it('is empty without samples, and null without tests', () => {
    expect(passAtPowers([])).toEqual({});
    const untested = group('a', 0.5).map((r) => ({ ...r, rewards: {} }));
    expect(passAtPowers([untested])).toEqual({ 'pass@1': null });
  });
});
