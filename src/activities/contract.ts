// What the workflows ask of the activities, and what comes back: references to files and pages of
// numbers. Types alone, so that workflows may import them.

import type { SampleSummary } from '../analysis/metrics/sample-summary.ts';
import type { Settings, SettingsChange } from '../config/schedule.ts';
import type { PromptFormat } from '../config/schema/model.ts';
import type { RetentionConfig } from '../config/schema/retention.ts';
import type { RewardConfig } from '../config/schema/rewards.ts';
import type { RlaifConfig } from '../config/schema/rlaif.ts';
import type { RunConfig } from '../config/schema/run.ts';
import type { Lora } from '../engine/files/adapter-folder.ts';
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

/** Run and epoch that an activity works for. `run` names the run's folder. */
export interface InEpoch {
  run: string;
  epoch: number;
}

export interface PrepareInput {
  run: string;
  /** Id of the run's first execution: whose folder it is. */
  execution: string;
  /** A run file, as whoever started the workflow gave it. */
  file: unknown;
}

/** A checked run, its inputs copied into the run's folder. */
export interface RunPlan {
  config: RunConfig;
  prompts: Record<PromptSplit, ArtifactRef>;
  /** The policy to start from; its epoch is the one before the first. */
  policy: CheckpointRef;
  reference: CheckpointRef;
  /** Reward models by the name of the reward; of a run that began before there were any, none. */
  rewardModels?: Record<string, CheckpointRef>;
  /**
   * Only of a run that refits reward models: what an earlier run, which this one goes on from,
   * sampled in the phase; else empty.
   */
  verdicts?: ScoredShards[] | undefined;
  /** What the run that this one goes on from measured so far; else empty. */
  history: EpochMetrics[];
}

export interface AdjustInput {
  config: RunConfig;
  change: SettingsChange;
}

/** One shard of a split's prompts. */
export interface ShardInput extends InEpoch {
  split: Split;
  shard: number;
  prompts: ArtifactRef;
}

export interface GenerateInput extends ShardInput {
  policy: CheckpointRef;
  /** Prompts in all shards of the epoch together. */
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
  /** How often people let the run go on after a judge had stopped it; none where not said. */
  resumes?: number;
  /** The run's copies of reward models, by the name of the reward. */
  rewardModels?: Record<string, CheckpointRef> | undefined;
  engine: EngineSettings;
}

export interface FilterInput extends InEpoch {
  prompts: ArtifactRef;
  scored: ArtifactRef[];
  rlaif: RlaifConfig;
  /** List the scored shards in a file too, for a refit of reward models. */
  listVerdicts?: boolean | undefined;
}

export interface Batch {
  samples: ArtifactRef;
  counts: FilterCounts;
  /** The list of scored shards, where it was asked for. */
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
  /** Written down with the checkpoint, for runs that go on from it. */
  refitting?: Refitting | undefined;
}

export interface Trained {
  policy: CheckpointRef;
  /** Null where no sample was left to train on: the policy is the one before, carried forward. */
  stats: TrainStats | null;
}

export interface EvaluateInput extends InEpoch {
  scored: ArtifactRef[];
}

/** What training did in an epoch. */
export interface TrainingRecord {
  /** The summary of the scored samples, or where they lie. */
  samples: SampleSummary | ArtifactRef[];
  counts: FilterCounts;
  stats: TrainStats | null;
  settings: Settings;
}

export interface AnalyzeInput extends InEpoch {
  phase: string;
  /** Null for the line that describes the policy to start from. */
  training: TrainingRecord | null;
  evaluation: SampleSummary;
  /** One completion a held-out prompt, the likeliest tokens; null where that is not asked for. */
  greedy?: SampleSummary | null;
  success: RunConfig['success'];
  /** Of reward models, before this epoch. */
  refits?: readonly Refit[] | undefined;
}

export interface PruneInput extends InEpoch {
  retention: RetentionConfig;
}

/** The activities of a run; each may run any number of times and leaves the same files. */
export interface Activities {
  /** Check a run file and all that it names, and copy the inputs into the run's folder. */
  prepare(input: PrepareInput): Promise<RunPlan>;
  /** Check a change to a live run's settings against the run file's schema. */
  checkChange(input: AdjustInput): Promise<void>;
  /** Sample completions of one shard of prompts: rollouts. */
  generate(input: GenerateInput): Promise<ArtifactRef>;
  /** Score one shard of rollouts: scored rollouts. */
  score(input: ScoreInput): Promise<ArtifactRef>;
  /** Compute advantages over all shards and keep what is worth training on. */
  filter(input: FilterInput): Promise<Batch>;
  /** Train the policy on a batch: the epoch's checkpoint. */
  train(input: TrainInput): Promise<Trained>;
  /** Summarise scored rollouts of one split. */
  evaluate(input: EvaluateInput): Promise<SampleSummary>;
  /** Write the epoch's metrics and report. */
  analyze(input: AnalyzeInput): Promise<EpochMetrics>;
  /** Take away what the run's retention does not keep. @returns the paths of it */
  prune(input: PruneInput): Promise<string[]>;
}
