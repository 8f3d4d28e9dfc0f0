// Numbers of an epoch: its line of metrics.jsonl, and counts of the filter and of refits.

import type { Settings } from '../config/schedule.ts';

/** Prompts to train on, or held out for evaluation. */
export type PromptSplit = 'train' | 'held-out';
/** Sets of samples of an epoch; `greedy` has greedy completions of the held-out prompts. */
export type Split = PromptSplit | 'greedy';

/** What the filter did; all but `constantGroups` count samples. */
export interface FilterCounts {
  scored: number;
  /** Without a reward: left out of their groups, never counted as 0. */
  missing: number;
  /** Groups dropped because all their rewards are equal. */
  constantGroups: number;
  /** Dropped by mask_truncated. */
  truncated: number;
  belowThreshold: number;
  /** Dropped by best_of_n_training. */
  notBest: number;
  kept: number;
}

/** One refit of one reward model. */
export interface Refit {
  /** Name of the reward. */
  reward: string;
  /** First epoch of the phase that follows the refit. */
  epoch: number;
  /** Training pairs, and pairs of held-out prompts. */
  pairs: number;
  heldOutPairs: number;
  /** Accuracy on the held-out pairs; null if there were too few pairs. */
  accuracyBefore: number | null;
  accuracyAfter: number | null;
  /** Whether the phase uses the refitted model; otherwise it uses the one before. */
  inForce: boolean;
}

/** Means over the pass; names as in EpochMetrics. */
export interface TrainStats {
  steps: number;
  /** Optimiser steps since the start of the run. */
  totalSteps: number;
  loss: number;
  policy_loss: number;
  kl: number;
  kl_k1: number;
  /** kl_penalty, or what an adaptive penalty has made of it after the last step. */
  kl_coefficient: number;
  entropy: number;
  /** Mean over steps, before clipping. */
  grad_norm: number;
  /** Of the last step. */
  learning_rate: number;
  clip_low: number;
  clip_high: number;
}

/**
 * A line of metrics.jsonl. Names follow the original analysis page and TRL. It has no wall-clock
 * times, so that the same run gives the same bytes; durations are in timings.jsonl.
 */
export interface EpochMetrics {
  epoch: number;
  /** `start` for the line that describes the policy before the first epoch. */
  phase: string;
  /** Mean reward of the epoch's samples, at that phase's temperature. Null on the start line. */
  reward: number | null;
  reward_std: number | null;
  /** Mean over prompts of the best reward in the group. */
  best_of_n_reward: number | null;
  /** Reward-weighted negative log-likelihood plus the KL term: the original system's loss. */
  loss: number | null;
  /** The objective that the configured algorithm minimised. */
  policy_loss: number | null;
  /** Population variance of the rewards of all samples. */
  reward_variance: number | null;
  /** Share of unique completions within a group, mean over groups. */
  diversity: number | null;
  /** Mean pairwise distance of completions within a group. */
  diversity_score: number | null;
  /**
   * Share of programs that are distinct in their group, ignoring layout, comments and local names;
   * mean over groups. Null if the samples have no program hashes.
   */
  distinct_programs: number | null;
  /** best_of_n_reward - reward. */
  gap: number | null;
  /** KL(policy || reference) per token, k3 estimator, nats. */
  kl: number | null;
  /** The same by the k1 estimator: noisier, and possibly negative. */
  kl_k1: number | null;
  /** The KL penalty in force at the epoch's end: kl_penalty, unless kl_target scales it. */
  kl_coefficient: number | null;
  /** Mean entropy of the sampling distribution per token, nats. */
  entropy: number | null;
  grad_norm: number | null;
  learning_rate: number | null;
  frac_reward_zero_std: number | null;
  'clip_ratio/low_mean': number | null;
  'clip_ratio/high_mean': number | null;
  /** The sum of both. */
  'clip_ratio/region_mean': number | null;
  'completions/mean_length': number | null;
  'completions/min_length': number | null;
  'completions/max_length': number | null;
  'completions/clipped_ratio': number | null;
  num_tokens: number | null;
  /** Counts: sampled, missing a score, kept by the filter, and optimiser steps taken. */
  samples: number;
  samples_missing: number;
  samples_trained: number;
  steps: number;
  /** Share of samples in each tenth of [0, 1]; ten numbers. */
  reward_histogram: number[] | null;
  /** Held-out prompts at the evaluation's fixed temperature. */
  'eval/reward': number;
  'eval/best_of_n_reward': number;
  'eval/reward_variance': number;
  'eval/gap': number;
  'eval/diversity': number;
  'eval/distinct_programs': number | null;
  /** Null if there is one sample per prompt. */
  'eval/diversity_score': number | null;
  /** Share of samples that pass all tests; null if no reward runs tests. */
  'eval/pass_rate': number | null;
  /** One greedy completion per held-out prompt; null if evaluation.greedy is off. */
  'eval/greedy/reward': number | null;
  'eval/greedy/pass_rate': number | null;
  /** Unbiased estimates of pass@k, for powers of two and the group size. */
  [passAtK: `eval/pass@${number}`]: number | null;
  /**
   * `rewards/{name}/mean`, `…/std` (population) and `…/{criterion}`, also under `eval/`; and
   * `rewards/{name}/refit_…` if that reward model was refitted before the epoch.
   */
  [reward: `${string}rewards/${string}`]: number | null;
  settings: Settings | null;
}
