import { describe, expect, it } from 'vitest';
import type { ScoredRollout } from '../../records/rollouts.ts';
import { distinctPrograms, meanPairwiseDistance, uniqueShare } from './diversity.ts';
import { summarizeSamples } from './sample-summary.ts';
import { histogram } from './statistics.ts';

function rollout(
  promptId: string,
  sample: number,
  reward: number | null,
  more: Partial<ScoredRollout> = {},
): ScoredRollout {
  const rubric = { value: reward, criteria: reward === null ? {} : { correctness: reward } };
  return {
    promptId,
    sample,
    tokens: [1, 2, 3, 4],
    logprobs: [0, 0, 0, 0],
    text: `${promptId}/${sample}`,
    finish: 'stop',
    reward,
    rewards: { rubric },
    ...more,
  };
}

describe('summarizeSamples', () => {
  // Group a: 0, 1 (mean .5, best 1); group b: .5, .5 (constant); one score missing.
  const samples = [
    rollout('a', 0, 0),
    rollout('a', 1, 1, { tokens: [1, 2], finish: 'length' }),
    rollout('b', 0, 0.5),
    rollout('b', 1, 0.5 + 1e-7),
    rollout('b', 2, null),
  ];

  it('agrees with hand computation', () => {
    const summary = summarizeSamples(samples);
    expect(summary.reward).toBeCloseTo(0.5, 6);
    expect(summary.reward_variance).toBeCloseTo(0.125, 6);
    expect(summary.reward_std).toBeCloseTo(Math.sqrt(0.125), 6);
    expect(summary.best_of_n_reward).toBeCloseTo(0.75, 6);
    expect(summary.gap).toBeCloseTo(0.25, 6);
    expect(summary.frac_reward_zero_std).toBe(0.5);
    expect(summary.reward_histogram).toEqual([0.25, 0, 0, 0, 0, 0.5, 0, 0, 0, 0.25]);
    expect(summary.pass_rate).toBe(0.25);
    expect(summary['completions/mean_length']).toBe(18 / 5);
    expect(summary['completions/min_length']).toBe(2);
    expect(summary['completions/max_length']).toBe(4);
    expect(summary['completions/clipped_ratio']).toBe(1 / 5);
    expect(summary.num_tokens).toBe(18);
  });

  it('counts missing scores and leaves them out of every mean', () => {
    const summary = summarizeSamples(samples);
    expect([summary.samples, summary.samples_missing]).toEqual([5, 1]);
    expect(summary.rewards['rewards/rubric/mean']).toBeCloseTo(0.5, 6);
    expect(summary.rewards['rewards/rubric/std']).toBeCloseTo(Math.sqrt(0.125), 6);
    expect(summary.rewards['rewards/rubric/correctness']).toBeCloseTo(0.5, 6);
  });

  it('gives the same bits for any order of samples', () => {
    const odd = samples.map((s, i) => ({ ...s, reward: 0.1 * (i + 1) + 1e-3 / (i + 3) }));
    expect(summarizeSamples([...odd].reverse())).toEqual(summarizeSamples(odd));
  });

  it('is null, not 0, without data', () => {
    const summary = summarizeSamples([rollout('a', 0, null)]);
    expect(summary.reward).toBeNull();
    expect(summary.best_of_n_reward).toBeNull();
    expect(summary.frac_reward_zero_std).toBeNull();
    expect(summary.pass_rate).toBeNull();
    expect(summary.rewards['rewards/rubric/mean']).toBeNull();
    expect(summary.rewards['rewards/rubric/std']).toBeNull();
    expect(summarizeSamples([])['completions/min_length']).toBeNull();
  });

  it('does not count [1, 0, 0, 0] as a constant group', () => {
    const group = [1, 0, 0, 0].map((reward, i) => rollout('a', i, reward));
    expect(summarizeSamples(group).frac_reward_zero_std).toBe(0);
  });
});

describe('histogram', () => {
  it('puts bounds into the right bins', () => {
    expect(histogram([0, 0.1, 0.99, 1])).toEqual([0.25, 0.25, 0, 0, 0, 0, 0, 0, 0, 0.5]);
    expect(histogram([])).toBeNull();
  });
});

describe('diversity', () => {
  it('ignores surrounding white space', () => {
    const group = ['x', ' x\n', 'y', 'z'].map((text, i) => rollout('a', i, 0, { text }));
    expect(uniqueShare(group)).toBe(0.75);
  });

  it('compares programs by hash, or by text if they have none', () => {
    const of = (...programs: (string | null | undefined)[]) =>
      distinctPrograms(
        programs.map((program, i) => rollout('a', i, 0, program === undefined ? {} : { program })),
      );
    expect(of('p', 'p', 'q', null)).toBe(0.75);
    expect(of(null, null)).toBe(1);
    expect(of('p', undefined)).toBeNull();
    expect(of()).toBeNull();
  });

  it('measures the Jaccard distance of trigram sets', () => {
    const of = (...tokens: number[][]) =>
      meanPairwiseDistance(tokens.map((t, i) => rollout('a', i, 0, { tokens: t })));
    // {123, 234} and {123, 235} share one of three.
    expect(of([1, 2, 3, 4], [1, 2, 3, 5])).toBeCloseTo(2 / 3, 12);
    expect(of([1, 2, 3], [1, 2, 3])).toBe(0);
    expect(of([1, 2], [3])).toBe(1);
    expect(of([], [])).toBe(0);
    expect(of([1, 2, 3], [1, 2, 3], [4, 5, 6])).toBeCloseTo(2 / 3, 12);
    expect(of([1, 2, 3])).toBeNull();
  });
});
