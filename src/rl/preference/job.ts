// One pass of a reward model's training as a job of the model process. Only types.

import type { PromptFormat } from '../../config/schema/model.ts';
import type { PreferenceTraining } from '../../config/schema/preference-training.ts';
import type { Lora } from '../../engine/files/adapter-config.ts';
import type { DeviceSettings } from '../../engine/inference/jobs.ts';
import type { ResumableJob } from '../../engine/training/snapshot.ts';

/** Train a reward model for one pass over the pairs and write the new checkpoint to `out`. */
export interface PreferenceJob extends ResumableJob {
  engine: DeviceSettings;
  /** Classifier's folder to start from; its optimiser's state is used after the first epoch. */
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

/** Result of a pass over preference pairs. */
export interface PreferenceReport {
  steps: PreferenceStepMetrics[];
  /** Pairs left out because an answer is longer than the limit. */
  tooLong: number;
}

/** A line of the step metrics; means over the step's pairs. */
export interface PreferenceStepMetrics {
  /** From 1, over all epochs. */
  step: number;
  loss: number;
  /** Share of pairs whose chosen answer has the higher score. */
  accuracy: number;
  /** Score of the chosen answer minus that of the rejected one. */
  margin: number;
  grad_norm: number;
  learning_rate: number;
}
