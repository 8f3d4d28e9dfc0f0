// What the model process does for the activities: sample completions, score them, train a policy.
// model-process.ts is the child process that does it, model-client.ts the end that the activities
// hold. Only types.

import type {
  ClassifierJob,
  GenerateJob,
  InspectJob,
  ModelInfo,
  Progress,
  ScoreJob,
} from '../engine/inference/jobs.ts';
import type { Rollout } from '../records/rollouts.ts';
import type { TrainJob, TrainReport } from './policy/job.ts';
import type { PreferenceJob, PreferenceReport } from './preference/job.ts';

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
