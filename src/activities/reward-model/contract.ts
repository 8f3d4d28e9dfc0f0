// What the workflow of a reward model's training asks of its activities, and what comes back.
// Types alone, so that the workflow may import them.

import type { PairsSummary, PreferenceEpoch } from '../../analysis/pages/preference-report.ts';
import type { RefitPlace } from '../../artifacts/layout.ts';
import type { RewardModelConfig } from '../../config/schema/reward-model-file.ts';
import type { ArtifactRef, CheckpointRef, ScoredShards } from '../../records/refs.ts';
import type { InEpoch, PrepareInput } from '../contract.ts';

/** Files of pairs that have no prompt in common; `count` says how many. */
export interface SplitPairs {
  train: ArtifactRef;
  heldOut: ArtifactRef;
}

/** A checked file, its inputs copied into the training's folder. */
export interface RewardModelPlan {
  config: RewardModelConfig;
  pairs: SplitPairs;
  /** The classifier to start from, of epoch 0. */
  start: CheckpointRef;
}

/** How a reward model is trained, and how its texts become tokens. */
export type PreferenceSettings = Pick<
  RewardModelConfig,
  'seed' | 'prompt_format' | 'lora' | 'engine' | 'training'
>;

export interface RewardModelEpochInput extends InEpoch {
  /** Where `run` is no training of its own but a run that refits one of its reward models. */
  refit?: RefitPlace;
  config: PreferenceSettings;
  /** What the epoch starts from, or what is evaluated. */
  model: CheckpointRef;
  /** Pairs to train on, or held-out ones. */
  pairs: ArtifactRef;
}

export interface PreferencePairsInput {
  run: string;
  refit: RefitPlace;
  /** The run's prompts to train on. */
  prompts: ArtifactRef;
  verdicts: ScoredShards[];
  /** Name of the reward to compare programs by. */
  judge: string;
  pairsPerGroup: number;
  minDifference: number;
  /** Compare programs that do not parse too. */
  includeBroken: boolean;
  heldOutShare: number;
  seed: number;
}

/** What a pass over the pairs came to. */
export interface TrainedRewardModel {
  model: CheckpointRef;
  /** Means over its steps. */
  loss: number;
  accuracy: number;
  tooLong: number;
}

/** What the held-out pairs say of an epoch's checkpoint. */
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

/** The activities of a reward model's training or refit; each may run any number of times. */
export interface RewardModelActivities {
  /** Check the file and all that it names, and copy the inputs into the training's folder. */
  prepareRewardModel(input: PrepareInput): Promise<RewardModelPlan>;
  /** Make preference pairs of what a reward of a run said of its samples. */
  pairVerdicts(input: PreferencePairsInput): Promise<SplitPairs>;
  /** Train for one pass over the pairs: the epoch's checkpoint. */
  trainRewardModel(input: RewardModelEpochInput): Promise<TrainedRewardModel>;
  /** Score held-out pairs. */
  evaluateRewardModel(input: RewardModelEpochInput): Promise<EvaluatedRewardModel>;
  /** Write the finished model and its report into the folder that the file names. */
  publishRewardModel(input: PublishInput): Promise<PairsSummary>;
}
