// The interface of the model process: sample completions, score them, train. model-process.ts
// implements it in a child process, and the activities call it through model-client.ts. Only types.

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
  /** Aborting ends the model process and its work. */
  signal?: AbortSignal | undefined;
}

/**
 * Runs one job at a time; others wait. Any job may also throw AnnealError ProcessLost,
 * ProcessStalled or OutOfMemory, if the process ended during it.
 */
export interface ModelService {
  /** @throws AnnealError InvalidModel */
  inspect(job: InspectJob, options?: JobOptions): Promise<ModelInfo>;
  /** Rollouts in the order of prompts, then sample index. */
  generate(job: GenerateJob, options?: JobOptions): Promise<Rollout[]>;
  /**
   * The score after each sequence's last token, in order; null for a sequence longer than
   * `maxLength` or the model's context. The bits of a score do not depend on its batch.
   * @throws AnnealError InvalidModel for a model that does not give a single score
   */
  scores(job: ScoreJob, options?: JobOptions): Promise<(number | null)[]>;
  /** @throws AnnealError NonFinite if a loss or gradient is not finite; nothing is written */
  train(job: TrainJob, options?: JobOptions): Promise<TrainReport>;
  /** @returns the new model. @throws AnnealError InvalidModel, also for one with several labels */
  makeClassifier(job: ClassifierJob, options?: JobOptions): Promise<ModelInfo>;
  /** @throws AnnealError as `train` does */
  trainRewardModel(job: PreferenceJob, options?: JobOptions): Promise<PreferenceReport>;
  /** End the child process. */
  close(): Promise<void>;
}
