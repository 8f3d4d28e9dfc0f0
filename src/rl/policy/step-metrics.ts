// Reports of training: a line of metrics for each step, and means over the pass.

import type { Settings } from '../../config/schedule.ts';
import { learningRate } from '../../engine/training/learning-rate.ts';
import type { TrainStats } from '../../records/metrics.ts';
import type { StepMetrics } from './job.ts';
import { objectiveStats } from './objective.ts';
import type { PolicyTrainer, StepSettings, StepStats } from './trainer.ts';

/** A step that was taken, with the numbers in force in it. */
export interface Step extends StepStats {
  step: number;
  tokens: number;
  settings: StepSettings;
}

/** A step as its line in the step metrics. */
export function toMetrics({ step, tokens, settings, ...stats }: Step): StepMetrics {
  const { kl_coefficient, learning_rate } = settings;
  return {
    step,
    loss: stats.policy_loss + kl_coefficient * stats.k2,
    policy_loss: stats.policy_loss,
    kl: stats.k3,
    kl_k1: stats.k1,
    kl_coefficient,
    entropy: stats.entropy,
    grad_norm: stats.grad_norm,
    learning_rate,
    'clip_ratio/low_mean': stats.clip_low,
    'clip_ratio/high_mean': stats.clip_high,
    'clip_ratio/region_mean': stats.clip_low + stats.clip_high,
    num_tokens: tokens,
  };
}

export function summarize(
  settings: Settings,
  trainer: PolicyTrainer,
  steps: StepStats[],
): TrainStats {
  const mean = (name: keyof StepStats) =>
    steps.reduce((sum, step) => sum + step[name], 0) / steps.length;
  const means = Object.fromEntries(objectiveStats.map((name) => [name, mean(name)]));
  const { kl_penalty } = settings.rlaif;
  return {
    steps: steps.length,
    totalSteps: trainer.step,
    loss: means.likelihood_loss! + kl_penalty * means.k3!,
    policy_loss: means.policy_loss!,
    kl: means.k3!,
    kl_k1: means.k1!,
    kl_coefficient: kl_penalty * trainer.klScale,
    entropy: means.entropy!,
    grad_norm: mean('grad_norm'),
    learning_rate: learningRate(settings.training, trainer.step - 1),
    clip_low: means.clip_low!,
    clip_high: means.clip_high!,
  };
}
