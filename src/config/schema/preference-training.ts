// How a reward model is trained on pairs: keys shared by its own file and the refits in a run file.

import { z } from 'zod';
import { positiveInt, recordCount, tokenCount } from './numbers.ts';

export const preferenceTrainingSchema = z.strictObject({
  epochs: positiveInt.max(100).default(1).describe('Passes over the pairs.'),
  learning_rate: z
    .number()
    .positive()
    .default(1e-5)
    .describe('Peak learning rate of AdamW; it falls to 0 along half a cosine over all passes.'),
  warmup_steps: z.int().min(0).default(10).describe('Steps of linear warm-up from 0.'),
  weight_decay: z.number().min(0).default(0).describe('Decoupled weight decay.'),
  max_grad_norm: z
    .number()
    .positive()
    .default(1)
    .describe('Maximum global norm of the gradient; a larger gradient is scaled down.'),
  batch_size: recordCount.default(32).describe('Pairs per optimiser step.'),
  microbatch_size: recordCount.default(8).describe('Pairs per forward and backward pass.'),
  max_length: tokenCount
    .default(1024)
    .describe(
      'Maximum length of an answer with its prompt, in tokens; pairs with a longer one are dropped.',
    ),
  recompute: z
    .boolean()
    .default(false)
    .describe('Recompute activations in the backward pass: less memory, about a third more time.'),
});

export type PreferenceTraining = z.output<typeof preferenceTrainingSchema>;
