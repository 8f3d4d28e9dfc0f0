// Selects the scored samples of an epoch to train on, gives each its advantage, and says why the
// others were dropped. Pure: the same samples and settings give the same batch.

import { algorithmTraits } from '../config/algorithm-traits.ts';
import type { RlaifConfig } from '../config/schema/rlaif.ts';
import type { FilterCounts } from '../records/metrics.ts';
import { isConstant, type ScoredRollout } from '../records/rollouts.ts';
import { algorithms } from './algorithms.ts';

/** A scored sample with its advantage, reward_weight included. */
export type BatchSample = ScoredRollout & { reward: number; advantage: number };

/** Why a sample was dropped: the setting of that name, or what is wrong with its rewards. */
export type DropReason =
  | 'missing_reward'
  | 'min_group_size'
  | 'constant_group'
  | 'mask_truncated'
  | 'reward_threshold'
  | 'best_of_n_training';

/** A sample that is not trained on; its advantage is null if it was dropped before it had one. */
export interface DroppedSample {
  promptId: string;
  sample: number;
  reason: DropReason;
  advantage: number | null;
}

/**
 * Drops groups with too few rewards (`min_group_size`) and, for group-relative algorithms, constant
 * groups. Computes advantages over the whole groups that are left. Then applies the filters:
 * `mask_truncated`, `reward_threshold`, `best_of_n_training`.
 */
export function buildBatch(
  scored: readonly ScoredRollout[],
  rlaif: RlaifConfig,
): { samples: BatchSample[]; dropped: DroppedSample[]; counts: FilterCounts } {
  const present = scored.filter(hasReward);
  const sampled = Map.groupBy(scored, (s) => s.promptId);
  const left = [...Map.groupBy(present, (s) => s.promptId).values()];
  const groups = left.filter(
    (group) =>
      group.length >= rlaif.min_group_size ||
      group.length === sampled.get(group[0]!.promptId)!.length,
  );
  const informative = algorithmTraits[rlaif.algorithm].groupRelative
    ? groups.filter((group) => !isConstant(group.map((s) => s.reward)))
    : groups;
  const judged = informative.flatMap((group) => withAdvantages(group, rlaif));
  const threshold = rlaif.reward_threshold ?? Number.NEGATIVE_INFINITY;
  const whole = rlaif.mask_truncated ? judged.filter((s) => s.finish !== 'length') : judged;
  const above = whole.filter((s) => s.reward >= threshold);
  const samples = rlaif.best_of_n_training ? bestOfEach(above) : above;
  return {
    samples,
    dropped: [
      ...between(scored, present, 'missing_reward'),
      ...between(left.flat(), groups.flat(), 'min_group_size'),
      ...between(groups.flat(), informative.flat(), 'constant_group'),
      ...between(judged, whole, 'mask_truncated'),
      ...between(whole, above, 'reward_threshold'),
      ...between(above, samples, 'best_of_n_training'),
    ],
    counts: {
      scored: present.length,
      missing: scored.length - present.length,
      constantGroups: groups.length - informative.length,
      truncated: judged.length - whole.length,
      belowThreshold: whole.length - above.length,
      notBest: above.length - samples.length,
      kept: samples.length,
    },
  };
}

/** Samples that a filter dropped. */
function between(
  before: readonly (ScoredRollout & { advantage?: number })[],
  after: readonly ScoredRollout[],
  reason: DropReason,
): DroppedSample[] {
  const left = new Set(after);
  return before
    .filter((sample) => !left.has(sample))
    .map(({ promptId, sample, advantage = null }) => ({ promptId, sample, reason, advantage }));
}

function hasReward(sample: ScoredRollout): sample is ScoredRollout & { reward: number } {
  return sample.reward !== null;
}

function withAdvantages(
  group: readonly (ScoredRollout & { reward: number })[],
  { algorithm, reward_weight }: RlaifConfig,
): BatchSample[] {
  const values = algorithms[algorithm].advantages(group.map((s) => s.reward));
  return group.map((s, i) => ({ ...s, advantage: reward_weight * values[i]! }));
}

/** Each prompt's sample with the highest reward; the first if several are equal. */
function bestOfEach(samples: readonly BatchSample[]): BatchSample[] {
  const best = new Map<string, BatchSample>();
  for (const sample of samples) {
    const known = best.get(sample.promptId);
    if (!known || sample.reward > known.reward) best.set(sample.promptId, sample);
  }
  return [...best.values()];
}
