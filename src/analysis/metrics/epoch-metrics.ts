// The lines of metrics.jsonl: an epoch's samples, training and evaluation as one record. What the
// numbers mean is diagnosis.ts.

import type { Settings } from '../../config/schedule.ts';
import { AnnealError } from '../../errors.ts';
import type { EpochMetrics, Refit } from '../../records/metrics.ts';
import type { TrainStats } from '../../rl/policy/job.ts';
import { refitMetrics } from './refit.ts';
import { type SampleSummary, summarizeSamples } from './sample-summary.ts';

/** What an epoch leaves behind, from which its line is made. */
export interface EpochParts {
  epoch: number;
  phase: string;
  settings: Settings;
  /** The epoch's samples, at the phase's temperature. */
  train: SampleSummary;
  /** The evaluation's samples, at its fixed temperature. */
  heldOut: SampleSummary;
  /** Its greedy completions; null where there are none. */
  greedy: SampleSummary | null;
  /** What the filter let through. */
  counts: { kept: number };
  /** Null where nothing was left to train on. */
  stats: TrainStats | null;
  /** Of reward models, before the epoch. */
  refits?: readonly Refit[] | undefined;
}

/**
 * The line of a finished epoch.
 * @throws AnnealError InvalidData where no held-out sample has a score.
 */
export function toEpochMetrics(parts: EpochParts): EpochMetrics {
  const { epoch, phase, train, heldOut, greedy, counts, stats, settings, refits = [] } = parts;
  return {
    epoch,
    phase,
    ...sampleMetrics(train),
    samples_trained: counts.kept,
    ...trainingMetrics(stats),
    ...heldOutMetrics(heldOut, epoch),
    ...greedyMetrics(greedy),
    ...train.rewards,
    ...prefixed(heldOut.rewards),
    ...refitMetrics(refits),
    settings,
  };
}

/**
 * The line of the policy before the first epoch: held-out numbers, null for all that training
 * would tell.
 * @param epoch the epoch before the first.
 * @throws AnnealError InvalidData where no held-out sample has a score.
 */
export function startMetrics(
  epoch: number,
  heldOut: SampleSummary,
  greedy: SampleSummary | null,
): EpochMetrics {
  return {
    epoch,
    phase: 'start',
    ...sampleMetrics(summarizeSamples([])),
    samples_trained: 0,
    ...trainingMetrics(null),
    ...heldOutMetrics(heldOut, epoch),
    ...greedyMetrics(greedy),
    ...prefixed(heldOut.rewards),
    settings: null,
  };
}

/** What of a summary an epoch's line says of the training samples. */
function sampleMetrics({ pass_rate: _, pass_at: __, rewards: ___, ...summary }: SampleSummary) {
  return summary;
}

function trainingMetrics(stats: TrainStats | null) {
  return {
    steps: stats?.steps ?? 0,
    loss: stats?.loss ?? null,
    policy_loss: stats?.policy_loss ?? null,
    kl: stats?.kl ?? null,
    kl_k1: stats?.kl_k1 ?? null,
    kl_coefficient: stats?.kl_coefficient ?? null,
    entropy: stats?.entropy ?? null,
    grad_norm: stats?.grad_norm ?? null,
    learning_rate: stats?.learning_rate ?? null,
    'clip_ratio/low_mean': stats?.clip_low ?? null,
    'clip_ratio/high_mean': stats?.clip_high ?? null,
    'clip_ratio/region_mean': stats && stats.clip_low + stats.clip_high,
  };
}

function heldOutMetrics(summary: SampleSummary, epoch: number) {
  const { reward, best_of_n_reward, reward_variance, gap, diversity } = summary;
  if (
    reward === null ||
    best_of_n_reward === null ||
    reward_variance === null ||
    gap === null ||
    diversity === null
  )
    throw new AnnealError(
      'InvalidData',
      `epoch ${epoch}: expected held-out samples with a score, found ${summary.samples} samples ` +
        'and none with one. Check the rewards of the run file: without a score on held-out ' +
        'prompts epochs cannot be compared.',
    );
  return {
    'eval/reward': reward,
    'eval/best_of_n_reward': best_of_n_reward,
    'eval/reward_variance': reward_variance,
    'eval/gap': gap,
    'eval/diversity': diversity,
    'eval/diversity_score': summary.diversity_score,
    'eval/distinct_programs': summary.distinct_programs ?? null,
    'eval/pass_rate': summary.pass_rate,
    ...prefixed(summary.pass_at ?? {}),
  };
}

function greedyMetrics(summary: SampleSummary | null) {
  return {
    'eval/greedy/reward': summary?.reward ?? null,
    'eval/greedy/pass_rate': summary?.pass_rate ?? null,
  };
}

function prefixed<K extends string>(numbers: Record<K, number | null>) {
  const entries = Object.entries<number | null>(numbers);
  return Object.fromEntries(entries.map(([key, value]) => [`eval/${key}`, value])) as Record<
    `eval/${K}`,
    number | null
  >;
}
