// The `rlaif` section: sampling, advantages, KL penalty, and which samples are trained on.

import { z } from 'zod';
import { type AlgorithmName, algorithmTraits } from '../algorithm-traits.ts';
import { fraction, positiveInt, recordCount, sampleCount, tokenCount } from './numbers.ts';

/** How samples are drawn, and how their rewards become a policy gradient. */
export const rlaifSchema = z.strictObject({
  algorithm: z
    .enum(Object.keys(algorithmTraits) as AlgorithmName[])
    .default('rloo')
    .describe('How rewards become advantages; see docs/algorithms.md.'),
  reward_weight: z.number().positive().default(1).describe('Factor applied to every advantage.'),
  kl_penalty: z
    .number()
    .min(0)
    .default(0.1)
    .describe('Coefficient of the KL penalty towards the reference policy.'),
  kl_placement: z
    .enum(['k2_loss', 'k1_reward'])
    .default('k2_loss')
    .describe(
      'Where the KL penalty is applied: the k2 estimator in the loss, or k1 in the reward.',
    ),
  kl_target: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe(
      'Target KL per token: kl_penalty is rescaled at every step to hold it. null leaves kl_penalty unscaled.',
    ),
  generation_temperature: z.number().positive().default(1).describe('Sampling temperature.'),
  top_k: positiveInt
    .nullable()
    .default(null)
    .describe('Sample only from the k most likely tokens; null samples from all.'),
  top_p: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe(
      'Sample from the most likely tokens whose probabilities sum to this; 1 samples from all.',
    ),
  min_p: fraction
    .default(0)
    .describe(
      'Sample from tokens at least this many times as likely as the most likely one; 0 samples from all.',
    ),
  stop_strings: z
    .array(z.string().min(1))
    .default([])
    .describe('Strings that end a completion; they are not part of it.'),
  loss_aggregation: z
    .enum(['token_mean', 'sequence_mean'])
    .default('token_mean')
    .describe(
      'Weigh every token equally in the loss (token_mean), or every sample (sequence_mean); dr_grpo uses its own weights.',
    ),
  mask_truncated: z
    .boolean()
    .default(false)
    .describe(
      'Do not train on samples cut off at max_new_tokens; they still count in their group.',
    ),
  reward_threshold: fraction
    .nullable()
    .default(null)
    .describe('Do not train on samples with a lower reward; null keeps all.'),
  best_of_n_training: z
    .boolean()
    .default(false)
    .describe('Train only on the best sample of each prompt.'),
  min_group_size: positiveInt
    .default(2)
    .describe(
      'If rewards are missing in a group, drop the group if fewer samples than this are left.',
    ),
  num_samples_per_prompt: sampleCount.default(8).describe('Samples per prompt (the group size).'),
  prompts_per_epoch: recordCount.default(96).describe('Prompts per epoch, drawn without repeats.'),
  max_new_tokens: tokenCount.default(96).describe('Maximum length of a completion, in tokens.'),
  clip_low: fraction.default(0.2).describe('Importance ratios below 1 - clip_low are clipped.'),
  clip_high: z
    .number()
    .min(0)
    .default(0.28)
    .describe('Importance ratios above 1 + clip_high are clipped.'),
});

export type RlaifConfig = z.output<typeof rlaifSchema>;
