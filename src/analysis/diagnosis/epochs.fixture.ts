// Epochs for the tests: the two of the original, handwritten analysis page, and a pair from a healthy
// run.

import type { SuccessTargets } from '../../config/schema/success.ts';
import type { EpochRecord, PartialSettings } from '../metrics/history.ts';

const settings = {
  rlaif: {
    algorithm: 'reinforce',
    reward_weight: 1,
    kl_penalty: 0.1,
    generation_temperature: 1.1,
    reward_threshold: null,
    best_of_n_training: false,
  },
  training: { learning_rate: 5e-6, warmup_steps: 200, max_grad_norm: 0.5 },
} as const;

export const epoch6: EpochRecord = {
  epoch: 6,
  reward: 0.2537,
  best_of_n_reward: 0.5229,
  loss: 0.1735,
  reward_variance: 0.0765,
  diversity: 1,
  diversity_score: 0.08,
  gap: 0.2692,
  settings,
};

export const epoch7: EpochRecord = {
  epoch: 7,
  reward: 0.2401,
  best_of_n_reward: 0.5276,
  loss: 0.1605,
  reward_variance: 0.0704,
  diversity: 1,
  diversity_score: 0.078,
  gap: 0.2875,
  settings,
};

export const healthyBefore: EpochRecord = {
  epoch: 11,
  phase: 'refinement',
  reward: 0.41,
  best_of_n_reward: 0.6,
  loss: 0.18,
  reward_variance: 0.058,
  diversity: 0.95,
  gap: 0.19,
  kl: 0.04,
  entropy: 0.5,
  samples: 4096,
  samples_missing: 0,
  samples_trained: 4096,
  'completions/clipped_ratio': 0.01,
  frac_reward_zero_std: 0.1,
  'eval/reward': 0.4,
  'eval/best_of_n_reward': 0.59,
  'eval/reward_variance': 0.057,
  'eval/gap': 0.19,
  'eval/pass_rate': 0.3,
  settings,
};

export const healthyAfter: EpochRecord = {
  ...healthyBefore,
  epoch: 12,
  reward: 0.45,
  best_of_n_reward: 0.62,
  loss: 0.17,
  reward_variance: 0.055,
  gap: 0.17,
  kl: 0.05,
  entropy: 0.48,
  'eval/reward': 0.44,
  'eval/best_of_n_reward': 0.61,
  'eval/reward_variance': 0.055,
  'eval/gap': 0.17,
  'eval/pass_rate': 0.34,
};

export const targets: SuccessTargets = {
  average_reward: 0.3,
  best_of_n_reward: 0.55,
  reward_variance: 0.06,
  gap: 0.2,
  loss: [0.15, 0.2],
};

/** The line with some of its rlaif settings changed. */
export function withRlaif(line: EpochRecord, rlaif: PartialSettings['rlaif']): EpochRecord {
  return { ...line, settings: { ...line.settings, rlaif: { ...line.settings?.rlaif, ...rlaif } } };
}
