// How a reward model learns from pairs: keys that its own file and a run file's refits share.

import { z } from 'zod';

const positiveInt = z.int().positive();

export const preferenceTrainingSchema = z.strictObject({
  epochs: positiveInt.max(100).default(1).describe('Passes over the pairs.'),
  learning_rate: z
    .number()
    .positive()
    .default(1e-5)
    .describe('Peak of AdamW, which comes down to 0 by half a cosine over all passes.'),
  warmup_steps: z.int().min(0).default(10).describe('Steps of linear warm-up from 0.'),
  weight_decay: z.number().min(0).default(0).describe('Decoupled weight decay.'),
  max_grad_norm: z.number().positive().default(1).describe('Global gradient norm clip.'),
  batch_size: positiveInt.default(32).describe('Pairs an optimiser step.'),
  microbatch_size: positiveInt.default(8).describe('Pairs a forward and backward pass.'),
  max_length: positiveInt
    .default(1024)
    .describe('Pairs with a longer answer, prompt included, are left out. In tokens.'),
  recompute: z
    .boolean()
    .default(false)
    .describe('Compute activations again in the backward pass: less memory, a third more time.'),
});
/** How a reward model is trained. */
export type PreferenceTraining = z.output<typeof preferenceTrainingSchema>;
