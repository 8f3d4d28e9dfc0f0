// The `training` section: optimiser, learning rate and batches.

import { z } from 'zod';
import { fraction, positiveInt, recordCount } from './numbers.ts';

/** The optimiser and its batches. */
export const trainingSchema = z.strictObject({
  learning_rate: z.number().positive().default(1e-4).describe('Peak learning rate of AdamW.'),
  schedule: z
    .enum(['constant', 'cosine'])
    .default('constant')
    .describe('Learning-rate schedule after the warm-up.'),
  decay_steps: positiveInt
    .nullable()
    .default(null)
    .describe(
      'Steps in which a cosine schedule falls to min_learning_rate, counted from the end of the warm-up.',
    ),
  min_learning_rate: z
    .number()
    .min(0)
    .default(0)
    .describe('Final learning rate of a cosine schedule.'),
  warmup_steps: z.int().min(0).default(20).describe('Steps of linear warm-up from 0.'),
  max_grad_norm: z
    .number()
    .positive()
    .default(0.5)
    .describe('Maximum global norm of the gradient; a larger gradient is scaled down.'),
  weight_decay: z.number().min(0).default(0).describe('Decoupled weight decay.'),
  adam_beta1: fraction.default(0.9).describe('Decay rate of the mean of gradients.'),
  adam_beta2: fraction.default(0.999).describe('Decay rate of the mean of squared gradients.'),
  adam_epsilon: z.number().positive().default(1e-8).describe("Added to AdamW's denominator."),
  batch_size: recordCount.default(64).describe('Samples per optimiser step.'),
  microbatch_size: recordCount
    .default(16)
    .describe('Samples per forward and backward pass; batch_size must be a multiple of it.'),
  recompute: z
    .boolean()
    .default(false)
    .describe('Recompute activations in the backward pass: less memory, about a third more time.'),
});

export type TrainingConfig = z.output<typeof trainingSchema>;
