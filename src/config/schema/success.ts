// The `success` section: targets that the analysis page reports on.

import { z } from 'zod';
import { fraction } from './numbers.ts';

export const successSchema = z.strictObject({
  average_reward: fraction.default(0.3).describe('At least.'),
  best_of_n_reward: fraction.default(0.55).describe('At least.'),
  reward_variance: z.number().min(0).default(0.06).describe('Under.'),
  gap: fraction.default(0.2).describe('Best-of-N less average: under.'),
  loss: z
    .tuple([z.number(), z.number()])
    .default([0.15, 0.2])
    .describe('Lowest and highest loss that counts as stable.'),
});

export type SuccessTargets = z.output<typeof successSchema>;
