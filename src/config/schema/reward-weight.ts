// What every kind of reward has.

import { z } from 'zod';

export const rewardWeight = z
  .number()
  .min(0)
  .default(1)
  .describe('Its share in the sum of rewards; 0 is reported and not summed.');
