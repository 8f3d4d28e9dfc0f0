// One pass of policy-gradient training as a job of the model process. Only types.

import type { Settings } from '../../config/schedule.ts';
import type { PromptFormat } from '../../config/schema/model.ts';
import type { Lora } from '../../engine/files/adapter-config.ts';
import type { EngineSettings } from '../../engine/inference/jobs.ts';
import type { ResumableJob } from '../../engine/training/snapshot.ts';
import type { TrainStats } from '../../records/metrics.ts';

/** A sample to train on: the rollout and its reward. */
export interface TrainSample {
  promptId: string;
  prompt: string;
  sample: number;
  tokens: number[];
  /** Log-probabilities under the policy that sampled, at the sampling temperature. */
  logprobs: number[];
  /** Over the whole group, with reward_weight, before training subtracts a penalty (`k1_reward`). */
  advantage: number;
  reward: number;
}

/** Train the policy for one pass over the samples and write the new checkpoint to `out`. */
export interface TrainJob extends ResumableJob {
  engine: EngineSettings;
  /** Checkpoint folder to start from, with its optimiser's state if it has one. */
  model: string;
  /** Folder of the reference policy. */
  reference: string;
  samples: TrainSample[];
  /** How the samples' prompts become tokens; the same as in sampling. */
  promptFormat: PromptFormat;
  settings: Settings;
  /** Train adapters of this kind; null trains every weight. */
  lora: Lora | null;
  /** Discard the optimiser's state, as in a phase that resets its reference. */
  freshOptimizer: boolean;
  /** Seeds the order of the samples, together with `epoch`. */
  seed: number;
  epoch: number;
  /** An empty folder, written to as a Hugging Face folder plus optimizer.safetensors. */
  out: string;
}

/** A line of an epoch's step metrics; means over the step's tokens unless noted. */
export interface StepMetrics {
  /** Of the run, from 1. */
  step: number;
  /** The loss that the optimiser minimised, with the KL term. */
  loss: number;
  policy_loss: number;
  kl: number;
  kl_k1: number;
  kl_coefficient: number;
  entropy: number;
  /** Global, before clipping. */
  grad_norm: number;
  learning_rate: number;
  'clip_ratio/low_mean': number;
  'clip_ratio/high_mean': number;
  'clip_ratio/region_mean': number;
  /** Completion tokens learned in the step. */
  num_tokens: number;
}

/** Result of training on an epoch's samples. */
export interface TrainReport {
  stats: TrainStats;
  steps: StepMetrics[];
  /** The advantages that the objective used; null if they are those of the batch. */
  advantages: TrainedAdvantage[] | null;
}

/** A line of the file of trained advantages. */
export type TrainedAdvantage = Pick<TrainSample, 'promptId' | 'sample' | 'advantage'>;
