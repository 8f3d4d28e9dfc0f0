// Summary statistics of a set of scored completions, training or held-out. epoch-metrics.ts makes an
// epoch's line from them.

import { isConstant, type ScoredRollout } from '../../records/rollouts.ts';
import { distinctPrograms, meanPairwiseDistance, uniqueShare } from './diversity.ts';
import { summarizeJudges } from './judge-summary.ts';
import { type PassAtK, passAtPowers, passRate } from './pass-rate.ts';
import { histogram, mean, standardDeviation, variance } from './statistics.ts';

/** Statistics of a set of samples, named as in EpochMetrics. Null if no sample determines it. */
export interface SampleSummary {
  samples: number;
  samples_missing: number;
  reward: number | null;
  reward_std: number | null;
  best_of_n_reward: number | null;
  reward_variance: number | null;
  gap: number | null;
  frac_reward_zero_std: number | null;
  reward_histogram: number[] | null;
  diversity: number | null;
  diversity_score: number | null;
  distinct_programs: number | null;
  'completions/mean_length': number | null;
  'completions/min_length': number | null;
  'completions/max_length': number | null;
  'completions/clipped_ratio': number | null;
  num_tokens: number | null;
  pass_rate: number | null;
  /** Estimates of pass@k; absent from summaries of earlier versions. */
  pass_at?: PassAtK;
  /** `rewards/{name}/mean`, `…/std` and `…/{criterion}`, sorted by key; a judge's statistics last. */
  rewards: Record<`rewards/${string}`, number | null>;
}

/**
 * Summarise the samples of one epoch and split, in any order. Samples without a score are counted
 * and left out of all reward statistics.
 */
export function summarizeSamples(rollouts: readonly ScoredRollout[]): SampleSummary {
  const ordered = [...rollouts].sort(byPromptThenSample);
  const groups = [...Map.groupBy(ordered, ({ promptId }) => promptId).values()];
  return {
    samples: ordered.length,
    samples_missing: ordered.length - rewardsOf(ordered).length,
    ...rewardStatistics(groups),
    diversity: mean(present(groups.map(uniqueShare))),
    diversity_score: mean(present(groups.map(meanPairwiseDistance))),
    distinct_programs: mean(present(groups.map(distinctPrograms))),
    ...lengthStatistics(ordered),
    pass_rate: passRate(ordered),
    pass_at: passAtPowers(groups),
    rewards: { ...byReward(ordered), ...ofJudges(ordered) },
  };
}

function byPromptThenSample(a: ScoredRollout, b: ScoredRollout): number {
  if (a.promptId !== b.promptId) return a.promptId < b.promptId ? -1 : 1;
  return a.sample - b.sample;
}

function present<T>(values: readonly (T | null)[]): T[] {
  return values.filter((value) => value !== null);
}

function rewardsOf(rollouts: readonly ScoredRollout[]): number[] {
  return present(rollouts.map(({ reward }) => reward));
}

function rewardStatistics(groups: readonly ScoredRollout[][]) {
  const scored = groups.map(rewardsOf).filter((rewards) => rewards.length > 0);
  const rewards = scored.flat();
  const reward = mean(rewards);
  const best = mean(scored.map((group) => Math.max(...group)));
  return {
    reward,
    reward_std: standardDeviation(rewards),
    best_of_n_reward: best,
    reward_variance: variance(rewards),
    gap: reward === null || best === null ? null : best - reward,
    frac_reward_zero_std: mean(scored.map((group) => (isConstant(group) ? 1 : 0))),
    reward_histogram: histogram(rewards),
  };
}

function lengthStatistics(rollouts: readonly ScoredRollout[]) {
  const lengths = rollouts.map(({ tokens }) => tokens.length);
  const fold = (join: (a: number, b: number) => number) =>
    lengths.length === 0 ? null : lengths.reduce((a, b) => join(a, b));
  return {
    'completions/mean_length': mean(lengths),
    'completions/min_length': fold(Math.min),
    'completions/max_length': fold(Math.max),
    'completions/clipped_ratio': mean(rollouts.map(({ finish }) => (finish === 'length' ? 1 : 0))),
    num_tokens: fold((a, b) => a + b),
  };
}

function byReward(rollouts: readonly ScoredRollout[]): SampleSummary['rewards'] {
  const said = rollouts.flatMap(({ rewards }) =>
    Object.entries(rewards).flatMap(([name, { value, criteria }]) =>
      Object.entries({ mean: value, std: value, ...criteria }).map(([key, number]) => ({
        key: `rewards/${name}/${key}` as const,
        number,
      })),
    ),
  );
  const byKey = [...Map.groupBy(said, ({ key }) => key)].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    byKey.map(([key, list]) => {
      const numbers = present(list.map(({ number }) => number));
      return [key, key.endsWith('/std') ? standardDeviation(numbers) : mean(numbers)];
    }),
  );
}

function ofJudges(rollouts: readonly ScoredRollout[]): SampleSummary['rewards'] {
  return Object.fromEntries(
    Object.entries(summarizeJudges(rollouts)).flatMap(([name, numbers]) =>
      Object.entries(numbers).map(([key, number]) => [`rewards/${name}/${key}`, number]),
    ),
  );
}
