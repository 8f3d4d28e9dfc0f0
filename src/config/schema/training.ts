// The `training` section: optimiser, learning rate and batches.

import { z } from 'zod';
import { fraction, positiveInt } from './numbers.ts';

/** The optimiser and its batches. */
export const trainingSchema = z.strictObject({
  learning_rate: z.number().positive().default(1e-4).describe('Peak learning rate of AdamW.'),
  schedule: z
    .enum(['constant', 'cosine'])
    .default('constant')
    .describe('Of the learning rate after its warm-up.'),
  decay_steps: positiveInt
    .nullable()
    .default(null)
    .describe('Steps after the warm-up in which a cosine schedule comes down.'),
  min_learning_rate: z
    .number()
    .min(0)
    .default(0)
    .describe('Where a cosine schedule comes down to and stays.'),
  warmup_steps: z.int().min(0).default(20).describe('Steps of linear warm-up from 0.'),
  max_grad_norm: z.number().positive().default(0.5).describe('Global gradient norm clip.'),
  weight_decay: z.number().min(0).default(0).describe('Decoupled weight decay.'),
  adam_beta1: fraction.default(0.9).describe('Decay of the mean of gradients.'),
  adam_beta2: fraction.default(0.999).describe('Decay of the mean of their squares.'),
  adam_epsilon: z.number().positive().default(1e-8).describe('Added to the denominator.'),
  batch_size: positiveInt.default(64).describe('Samples an optimiser step.'),
  microbatch_size: positiveInt.default(16).describe('Samples a forward and backward pass.'),
  recompute: z
    .boolean()
    .default(false)
    .describe('Compute activations again in the backward pass: less memory, a third more time.'),
});

export type TrainingConfig = z.output<typeof trainingSchema>;
