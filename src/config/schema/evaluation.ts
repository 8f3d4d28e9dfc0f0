// The `evaluation` section: how a policy is measured on held-out prompts.

import { z } from 'zod';
import { recordCount, sampleCount } from './numbers.ts';

export const evaluationSchema = z.strictObject({
  prompts: recordCount
    .default(64)
    .describe('Held-out prompts to evaluate on, from the start of the file.'),
  num_samples_per_prompt: sampleCount.default(8).describe('Samples per prompt (N of best-of-N).'),
  temperature: z
    .number()
    .positive()
    .default(1)
    .describe('Sampling temperature; the same in all phases, so that epochs can be compared.'),
  greedy: z.boolean().default(true).describe('Also generate one greedy completion per prompt.'),
});

export type EvaluationConfig = z.output<typeof evaluationSchema>;
