// The `evaluation` section: how a policy is measured on held-out prompts.

import { z } from 'zod';
import { positiveInt } from './numbers.ts';

export const evaluationSchema = z.strictObject({
  prompts: positiveInt.default(64).describe('Held-out prompts, from the top of the file.'),
  num_samples_per_prompt: positiveInt.default(8).describe('Group size N.'),
  temperature: z
    .number()
    .positive()
    .default(1)
    .describe('Fixed over all phases, so that they compare.'),
  greedy: z
    .boolean()
    .default(true)
    .describe('Also take one completion a prompt of the likeliest tokens.'),
});
