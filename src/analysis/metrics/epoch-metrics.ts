// A line of metrics.jsonl: an epoch's samples, training and evaluation as one record. What the
// numbers mean is decided in ../diagnosis.

import type { Settings } from '../../config/schedule.ts';
import { AnnealError } from '../../errors.ts';
import type { EpochMetrics, Refit, TrainStats } from '../../records/metrics.ts';
import { refitMetrics } from './refit.ts';
import { type SampleSummary, summarizeSamples } from './sample-summary.ts';

/** The results of an epoch that its line is made from. */
export interface EpochParts {
  epoch: number;
  phase: string;
  settings: Settings;
  /** The epoch's samples, at the phase's temperature. */
  train: SampleSummary;
  /** The evaluation's samples, at its fixed temperature. */
  heldOut: SampleSummary;
  /** Greedy completions of the evaluation; null if it drew none. */
  greedy: SampleSummary | null;
  /** Samples that passed the filter. */
  counts: { kept: number };
  /** Null if no sample was left to train on. */
  stats: TrainStats | null;
  /** Refits of reward models before the epoch. */
  refits?: readonly Refit[] | undefined;
}

/**
 * The line of a finished epoch.
 * @throws AnnealError InvalidData if no held-out sample has a score.
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
 * The line of the policy before the first epoch: held-out numbers, and null for everything that
 * comes from training.
 * @param epoch the epoch before the first.
 * @throws AnnealError InvalidData if no held-out sample has a score.
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

/** The fields of a summary that an epoch's line holds for the training samples. */
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
        'and none with a score. Check the rewards of the run file: epochs are compared by their ' +
        'scores on held-out prompts.',
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
