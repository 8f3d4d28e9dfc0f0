// What the model process does for the activities: sample completions, score them, train a policy.
// Types alone; model-process.ts is the child process that does it, model-client.ts the end that
// the activities hold. Folders are absolute paths on the machine of the worker.

import type { PreferenceTraining } from '../config/preference-training.ts';
import type { Rollout, Settings } from '../config/records.ts';
import type { PromptFormat, RunConfig } from '../config/schema.ts';
import type { Lora } from '../engine/model/adapter-folder.ts';
import type { MemoryEstimate } from '../engine/model/memory.ts';
import type { DrawSettings } from '../engine/sampling/rollout.ts';
import type { SnapshotSettings } from './snapshot.ts';

export type { DrawSettings, Lora };

/** Of a run's, what the model process needs; without `stall_seconds` a job may take an hour a step. */
export type EngineSettings = Omit<RunConfig['engine'], 'snapshot_seconds' | 'stall_seconds'> &
  Partial<Pick<RunConfig['engine'], 'stall_seconds'>>;
/** Of it, what says where and how a model runs. */
export type DeviceSettings = Pick<EngineSettings, 'device' | 'threads' | 'stall_seconds'>;

/** Read a model folder whole and check it. */
export interface InspectJob {
  model: string;
  /** Check too that prompts can be written like this. */
  promptFormat?: PromptFormat | undefined;
}

/** Sample `samplesPerPrompt` completions of each prompt. */
export interface GenerateJob {
  kind: 'generate';
  engine: EngineSettings;
  /** Hugging Face folder of the policy. */
  model: string;
  prompts: { id: string; prompt: string }[];
  /** How the prompts become tokens. */
  promptFormat: PromptFormat;
  samplesPerPrompt: number;
  draw: DrawSettings;
  maxNewTokens: number;
  /** A completion ends with the first of these texts, which its text leaves out. */
  stopStrings: readonly string[];
  /** A sample is a function of (seed, stream, prompt id, sample index) and the policy. */
  seed: number;
  /** What tells the draws of one epoch and split from another's, such as `train/8`. */
  stream: string;
}

/** Score whole answers by a sequence classifier with one label: a reward model. */
export interface ScoreJob {
  kind: 'score';
  engine: DeviceSettings;
  /** Hugging Face folder of the classifier. */
  model: string;
  sequences: readonly { prompt: string; completion: string }[];
  /** How prompt and completion become tokens. */
  promptFormat: PromptFormat;
  /** Sequences of one pass. */
  batchSize: number;
  /** In tokens. */
  maxLength: number;
}

/** A sample to train on: the rollout and its reward. */
export interface TrainSample {
  promptId: string;
  prompt: string;
  sample: number;
  tokens: number[];
  /** Log-probabilities under the policy that sampled, at the sampling temperature. */
  logprobs: number[];
  /** Already computed over the whole group, reward weight included. */
  advantage: number;
  reward: number;
}

/** A training that may be gone on with in another process. */
export interface ResumableJob {
  /** Take snapshots, each told with the progress. */
  snapshots?: SnapshotSettings;
  /** Folder of a snapshot of this very job, to go on from. */
  resume?: string | undefined;
}

/** Train the policy for one pass over the samples and write the new checkpoint to `out`. */
export interface TrainJob extends ResumableJob {
  kind: 'train';
  engine: EngineSettings;
  /** Checkpoint folder to start from; its optimiser state goes on where there is one. */
  model: string;
  /** Folder of the reference policy. */
  reference: string;
  samples: TrainSample[];
  /** How the samples' prompts become tokens: as when they were drawn. */
  promptFormat: PromptFormat;
  settings: Settings;
  /** Train adapters of this kind; null trains every weight. */
  lora: Lora | null;
  /** Discard the optimiser's state (a phase that resets its reference starts afresh). */
  freshOptimizer: boolean;
  /** Seeds the order of the samples, together with `epoch`. */
  seed: number;
  epoch: number;
  /** An empty folder, written to as a Hugging Face folder plus optimizer.safetensors. */
  out: string;
}

/** Make a folder a sequence classifier with one label. */
export interface ClassifierJob {
  /** A language model, which gets a new head; a classifier; or adapters of one, which are merged. */
  model: string;
  /** Seeds a new head. */
  seed: number;
  /** An empty folder, written to as a Hugging Face folder. */
  out: string;
}

/** Train a reward model for one pass over the pairs and write the new checkpoint to `out`. */
export interface PreferenceJob extends ResumableJob {
  kind: 'preferences';
  engine: DeviceSettings;
  /** Classifier's folder to start from; after the first epoch its optimiser's state goes on. */
  model: string;
  pairs: readonly { prompt: string; chosen: string; rejected: string }[];
  /** How prompt and answer become tokens. */
  promptFormat: PromptFormat;
  training: PreferenceTraining;
  lora: Lora | null;
  /** Seeds new adapters and, with `epoch`, the order of the pairs. */
  seed: number;
  /** From 1. */
  epoch: number;
  /** An empty folder, written to as a Hugging Face folder plus optimizer.safetensors. */
  out: string;
}

/** What a pass over preference pairs says of itself. */
export interface PreferenceReport {
  steps: PreferenceStepMetrics[];
  /** Pairs left out, since one of their answers is longer than the limit. */
  tooLong: number;
}

/** A line of its step metrics; means over the step's pairs. */
export interface PreferenceStepMetrics {
  /** From 1, over all epochs. */
  step: number;
  loss: number;
  /** Share of pairs whose chosen answer has the higher score. */
  accuracy: number;
  /** Score of the chosen answer less that of the rejected one. */
  margin: number;
  grad_norm: number;
  learning_rate: number;
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

/** A line of an epoch's step metrics. Means over the step's tokens unless they say otherwise. */
export interface StepMetrics {
  /** Of the run, from 1. */
  step: number;
  /** What the optimiser minimised, the KL term included. */
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

/** What training an epoch says of itself. */
export interface TrainReport {
  stats: TrainStats;
  steps: StepMetrics[];
}

/** A description of a model folder that can be sampled from and trained. */
export interface ModelInfo {
  architecture: string;
  /** Of a folder of adapters; everything else is then its base's. */
  lora: (Lora & { base: string }) | null;
  parameters: number;
  /** Parameters by the data type that they are stored in. */
  dtypes: Record<string, number>;
  layers: number;
  hiddenSize: number;
  intermediateSize: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  vocabSize: number;
  /** Whether the output shares the embeddings' weights. */
  tiedEmbeddings: boolean;
  /** Context length in tokens. */
  maxPositions: number;
  /** Null where every layer sees the whole sequence. */
  slidingWindow: { tokens: number; layers: number } | null;
  rope: { kind: string; theta: number; factor: number | null };
  /** Scores of a classifier; null for a language model. */
  labels: number | null;
  eosTokenIds: number[];
  chatTemplate: boolean;
  /** Estimates, in bytes. */
  memory: MemoryEstimate;
  /** Of every file in the folder. */
  bytes: number;
  files: { name: string; bytes: number }[];
}

/** Progress of a job: done of total, in the unit the job counts in (tokens or steps). */
export interface Progress {
  done: number;
  total: number;
  unit: string;
  /** A word for people, such as `loss 0.171`. */
  note?: string;
  /** Folder of a snapshot that has just been taken. */
  snapshot?: string | undefined;
}

export interface JobOptions {
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Aborting ends the model process, and with it whatever it computes. */
  signal?: AbortSignal | undefined;
}

/**
 * The model process as the activities see it. One job at a time; others wait their turn. Every job
 * throws AnnealError ProcessLost, ProcessStalled or OutOfMemory where the process died over it.
 */
export interface ModelService {
  /** @throws AnnealError InvalidModel */
  inspect(job: InspectJob, options?: JobOptions): Promise<ModelInfo>;
  /** Rollouts in the order of prompts, then sample index. */
  generate(job: GenerateJob, options?: JobOptions): Promise<Rollout[]>;
  /**
   * The score after each sequence's last token, in their order; null for one of more than
   * `maxLength` tokens or the model's context. The same to the last bit in whatever batch.
   * @throws AnnealError InvalidModel for a model that gives no single score
   */
  scores(job: ScoreJob, options?: JobOptions): Promise<(number | null)[]>;
  /** @throws AnnealError NonFinite where a loss or gradient is not a number; nothing is written. */
  train(job: TrainJob, options?: JobOptions): Promise<TrainReport>;
  /** @returns what it made. @throws AnnealError InvalidModel, also for one of several labels */
  makeClassifier(job: ClassifierJob, options?: JobOptions): Promise<ModelInfo>;
  /** @throws AnnealError as `train` does */
  trainRewardModel(job: PreferenceJob, options?: JobOptions): Promise<PreferenceReport>;
  /** End the child process. */
  close(): Promise<void>;
}
