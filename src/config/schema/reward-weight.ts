// The key that every kind of reward has.

import { z } from 'zod';

export const rewardWeight = z
  .number()
  .min(0)
  .default(1)
  .describe('Weight in the sum of rewards; with 0 the reward is only reported.');
