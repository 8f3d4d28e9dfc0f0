// Inputs and results of a reward model's activities. Types only, so that workflows can import them.

import type { PairsSummary, PreferenceEpoch } from '../../analysis/pages/preference-report.ts';
import type { RefitPlace } from '../../artifacts/layout.ts';
import type { RewardModelConfig } from '../../config/schema/reward-model-file.ts';
import type { ArtifactRef, CheckpointRef, ScoredShards } from '../../records/refs.ts';
import type { InEpoch, PrepareInput } from '../contract.ts';

/** Files of pairs without a common prompt; `count` is their number. */
export interface SplitPairs {
  train: ArtifactRef;
  heldOut: ArtifactRef;
}

/** A checked reward model file whose inputs are copied into the training's folder. */
export interface RewardModelPlan {
  config: RewardModelConfig;
  pairs: SplitPairs;
  /** The classifier to start from, with epoch 0. */
  start: CheckpointRef;
}

/** Settings of the training, and of how texts become tokens. */
export type PreferenceSettings = Pick<
  RewardModelConfig,
  'seed' | 'prompt_format' | 'lora' | 'engine' | 'training'
>;

export interface RewardModelEpochInput extends InEpoch {
  /** Set if `run` is a run that refits one of its reward models. */
  refit?: RefitPlace;
  config: PreferenceSettings;
  /** The model to start from or to evaluate. */
  model: CheckpointRef;
  /** Pairs to train on, or held-out ones. */
  pairs: ArtifactRef;
}

export interface PreferencePairsInput {
  run: string;
  refit: RefitPlace;
  /** The run's training prompts. */
  prompts: ArtifactRef;
  verdicts: ScoredShards[];
  /** Name of the reward to compare programs by. */
  judge: string;
  pairsPerGroup: number;
  minDifference: number;
  /** Also compare programs that do not parse. */
  includeBroken: boolean;
  heldOutShare: number;
  seed: number;
}

/** The result of a pass over the pairs. */
export interface TrainedRewardModel {
  model: CheckpointRef;
  /** Means over its steps. */
  loss: number;
  accuracy: number;
  tooLong: number;
}

/** The result of a checkpoint on the held-out pairs. */
export interface EvaluatedRewardModel {
  /** Scores of each pair. */
  scores: ArtifactRef;
  summary: PairsSummary;
}

export interface PublishInput {
  run: string;
  config: RewardModelConfig;
  model: CheckpointRef;
  scores: ArtifactRef;
  trained: { pairs: number; tooLong: number };
  epochs: PreferenceEpoch[];
}

/** The activities of a reward model's training or refit. Each may run any number of times. */
export interface RewardModelActivities {
  /** Check the file and everything that it names, and copy the inputs into the training's folder. */
  prepareRewardModel(input: PrepareInput): Promise<RewardModelPlan>;
  /** Make preference pairs from a reward's scores. Histories have it under this name. */
  pairVerdicts(input: PreferencePairsInput): Promise<SplitPairs>;
  /** Train for one pass over the pairs; makes the epoch's checkpoint. */
  trainRewardModel(input: RewardModelEpochInput): Promise<TrainedRewardModel>;
  /** Score held-out pairs. */
  evaluateRewardModel(input: RewardModelEpochInput): Promise<EvaluatedRewardModel>;
  /** Write the finished model and its report into the folder that the file names. */
  publishRewardModel(input: PublishInput): Promise<PairsSummary>;
}
