// Which of an epoch's scored samples are trained on, with what advantage, and why the others are
// not. Pure: the same samples and settings, the same batch.

import type { RlaifConfig } from '../config/schema/rlaif.ts';
import type { FilterCounts } from '../records/metrics.ts';
import type { ScoredRollout } from '../records/rollouts.ts';
import { advantages, isConstant } from './advantages.ts';

/** A scored sample with its advantage, reward weight included. */
export type BatchSample = ScoredRollout & { reward: number; advantage: number };

/** What a sample is left out for: the setting of that name, or what is wrong with its rewards. */
export type DropReason =
  | 'missing_reward'
  | 'min_group_size'
  | 'constant_group'
  | 'mask_truncated'
  | 'reward_threshold'
  | 'best_of_n_training';

/** A sample that is not trained on; its advantage is null where it was left out before there was one. */
export interface DroppedSample {
  promptId: string;
  sample: number;
  reason: DropReason;
  advantage: number | null;
}

/**
 * Groups of which too few rewards are there are dropped (`min_group_size`). Advantages over whole
 * groups first, then the filters: constant groups (not for `reinforce`,
 * whose advantage is the reward itself), `mask_truncated`, `reward_threshold`,
 * `best_of_n_training`.
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
  const informative =
    rlaif.algorithm === 'reinforce'
      ? groups
      : groups.filter((group) => !isConstant(group.map((s) => s.reward)));
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

/** What was there before a filter and is not after it. */
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
  rlaif: RlaifConfig,
): BatchSample[] {
  const values = advantages(
    rlaif.algorithm,
    group.map((s) => s.reward),
  );
  return group.map((s, i) => ({ ...s, advantage: rlaif.reward_weight * values[i]! }));
}

/** The sample of the highest reward of every prompt; of equals, the first. */
function bestOfEach(samples: readonly BatchSample[]): BatchSample[] {
  const best = new Map<string, BatchSample>();
  for (const sample of samples) {
    const known = best.get(sample.promptId);
    if (!known || sample.reward > known.reward) best.set(sample.promptId, sample);
  }
  return [...best.values()];
}
