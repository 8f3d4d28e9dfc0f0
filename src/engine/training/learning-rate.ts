// The learning rate of each step.

import type { TrainingConfig } from '../../config/schema/training.ts';

export type LearningRateSettings = Pick<
  TrainingConfig,
  'learning_rate' | 'warmup_steps' | 'schedule' | 'decay_steps' | 'min_learning_rate'
>;

/**
 * The learning rate of the step after `stepsDone`: a linear warm-up, then constant, or half a
 * cosine down over decay_steps (arXiv 1608.03983).
 */
export function learningRate(settings: LearningRateSettings, stepsDone: number): number {
  const { learning_rate, warmup_steps, schedule, decay_steps, min_learning_rate } = settings;
  if (stepsDone < warmup_steps) return (learning_rate * (stepsDone + 1)) / warmup_steps;
  if (schedule === 'constant' || decay_steps === null) return learning_rate;
  const progress = Math.min(1, (stepsDone - warmup_steps) / decay_steps);
  const share = (1 + Math.cos(Math.PI * progress)) / 2;
  return min_learning_rate + (learning_rate - min_learning_rate) * share;
}
