// The `success` section: targets that the analysis page reports on.

import { z } from 'zod';
import { fraction } from './numbers.ts';

export const successSchema = z.strictObject({
  average_reward: fraction.default(0.3).describe('Average reward of at least this.'),
  best_of_n_reward: fraction.default(0.55).describe('Best-of-N reward of at least this.'),
  reward_variance: z.number().min(0).default(0.06).describe('Variance of rewards below this.'),
  gap: fraction.default(0.2).describe('Best-of-N reward minus average reward below this.'),
  loss: z
    .tuple([z.number(), z.number()])
    .default([0.15, 0.2])
    .describe('Loss between these two counts as stable.'),
});

export type SuccessTargets = z.output<typeof successSchema>;

/** The targets of a run file that sets none. */
export const defaultTargets: SuccessTargets = successSchema.parse({});
