// Inputs and results of the activities: references to files, and small sets of numbers. Types only,
// so that workflows can import them.

import type { SampleSummary } from '../analysis/metrics/sample-summary.ts';
import type { Settings, SettingsChange } from '../config/schedule.ts';
import type { AnswerFormat, PromptFormat } from '../config/schema/model.ts';
import type { RetentionConfig } from '../config/schema/retention.ts';
import type { RewardConfig } from '../config/schema/rewards.ts';
import type { RlaifConfig } from '../config/schema/rlaif.ts';
import type { RunConfig } from '../config/schema/run.ts';
import type { Lora } from '../engine/files/adapter-config.ts';
import type { EngineSettings } from '../engine/inference/jobs.ts';
import type { DrawSettings } from '../engine/sampling/rollout-request.ts';
import type {
  EpochMetrics,
  FilterCounts,
  PromptSplit,
  Refit,
  Split,
  TrainStats,
} from '../records/metrics.ts';
import type { ArtifactRef, CheckpointRef, Refitting, ScoredShards } from '../records/refs.ts';

export type { PromptSplit, SampleSummary, Split };

/** Heartbeat details of a long activity; clients read them from pending activities. */
export interface HeartbeatDetails {
  stage: 'generate' | 'score' | 'train' | 'evaluate';
  done: number;
  total: number;
  unit: string;
  note?: string;
}

/** The run and epoch of an activity. `run` names the run's folder. */
export interface InEpoch {
  run: string;
  epoch: number;
}

export interface PrepareInput {
  run: string;
  /** Id of the run's first execution, which owns the folder. */
  execution: string;
  /** The run file that the workflow was started with. */
  file: unknown;
}

/** A checked run whose inputs are copied into its folder. */
export interface RunPlan {
  config: RunConfig;
  prompts: Record<PromptSplit, ArtifactRef>;
  /** The policy to start from, with the epoch before the first. */
  policy: CheckpointRef;
  reference: CheckpointRef;
  /** Reward models by the name of the reward. Absent in runs that predate reward models. */
  rewardModels?: Record<string, CheckpointRef>;
  /**
   * Only if the run refits reward models: the phase's scored shards from an earlier run that this
   * one continues; empty if it continues none.
   */
  verdicts?: ScoredShards[] | undefined;
  /** Metrics of the run that this one continues; empty if it continues none. */
  history: EpochMetrics[];
}

export interface AdjustInput {
  config: RunConfig;
  change: SettingsChange;
  /** Number of training prompts; earlier versions left it out. */
  prompts?: number;
}

/** One shard of a split's prompts. */
export interface ShardInput extends InEpoch {
  split: Split;
  shard: number;
  prompts: ArtifactRef;
}

export interface GenerateInput extends ShardInput {
  policy: CheckpointRef;
  /** Number of prompts in all shards of the epoch. */
  take: number;
  promptFormat: PromptFormat;
  samplesPerPrompt: number;
  draw: DrawSettings;
  maxNewTokens: number;
  stopStrings: readonly string[];
  seed: number;
  engine: EngineSettings;
}

export interface ScoreInput extends ShardInput {
  rollouts: ArtifactRef;
  rewards: RewardConfig[];
  /** Where completions have their programs; absent in runs that predate fenced answers. */
  promptFormat?: AnswerFormat;
  /** How often users resumed the run after its judge stopped; 0 if absent. */
  resumes?: number;
  /** The run's copies of reward models, by the name of the reward. */
  rewardModels?: Record<string, CheckpointRef> | undefined;
  engine: EngineSettings;
}

export interface FilterInput extends InEpoch {
  prompts: ArtifactRef;
  scored: ArtifactRef[];
  rlaif: RlaifConfig;
  /** Also list the scored shards in a file, for a refit of reward models. */
  listVerdicts?: boolean | undefined;
}

export interface Batch {
  samples: ArtifactRef;
  counts: FilterCounts;
  /** The list of scored shards, if requested. */
  verdicts?: ArtifactRef;
}

export interface TrainInput extends InEpoch {
  policy: CheckpointRef;
  reference: CheckpointRef;
  batch: ArtifactRef;
  promptFormat: PromptFormat;
  settings: Settings;
  lora: Lora | null;
  seed: number;
  engine: RunConfig['engine'];
  freshOptimizer: boolean;
  /** Saved with the checkpoint, for runs that continue from it. */
  refitting?: Refitting | undefined;
}

export interface Trained {
  policy: CheckpointRef;
  /** Null if no sample was left to train on; the policy is then the previous one. */
  stats: TrainStats | null;
}

export interface EvaluateInput extends InEpoch {
  scored: ArtifactRef[];
}

/** An epoch's samples and training. */
export interface TrainingRecord {
  /** The summary of the scored samples, or their files. */
  samples: SampleSummary | ArtifactRef[];
  counts: FilterCounts;
  stats: TrainStats | null;
  settings: Settings;
}

export interface AnalyzeInput extends InEpoch {
  phase: string;
  /** Null for the start line. */
  training: TrainingRecord | null;
  evaluation: SampleSummary;
  /** Greedy completions of the held-out prompts; null if not configured. */
  greedy?: SampleSummary | null;
  success: RunConfig['success'];
  /** Refits of reward models before this epoch. */
  refits?: readonly Refit[] | undefined;
}

export interface PruneInput extends InEpoch {
  retention: RetentionConfig;
}

/** The activities of a run. Each may run any number of times and writes the same files. */
export interface Activities {
  /** Check a run file and everything that it names, and copy the inputs into the run's folder. */
  prepare(input: PrepareInput): Promise<RunPlan>;
  /** Check a change of a live run's settings against the run file's schema. */
  checkChange(input: AdjustInput): Promise<void>;
  /** Sample completions of one shard of prompts: rollouts. */
  generate(input: GenerateInput): Promise<ArtifactRef>;
  /** Score one shard of rollouts: scored rollouts. */
  score(input: ScoreInput): Promise<ArtifactRef>;
  /** Compute advantages over all shards and keep the samples to train on. */
  filter(input: FilterInput): Promise<Batch>;
  /** Train the policy on a batch: the epoch's checkpoint. */
  train(input: TrainInput): Promise<Trained>;
  /** Summarise scored rollouts of one split. */
  evaluate(input: EvaluateInput): Promise<SampleSummary>;
  /** Write the epoch's metrics and report. */
  analyze(input: AnalyzeInput): Promise<EpochMetrics>;
  /** Delete what the run's retention does not keep. @returns the deleted paths */
  prune(input: PruneInput): Promise<string[]>;
}
