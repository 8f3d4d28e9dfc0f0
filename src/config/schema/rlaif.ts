// The `rlaif` section: sampling, advantages, KL penalty, and which samples are trained on.

import { z } from 'zod';
import { type AlgorithmName, algorithmTraits } from '../algorithm-traits.ts';
import { fraction, positiveInt } from './numbers.ts';

/** How samples are drawn and what the policy gradient makes of their rewards. */
export const rlaifSchema = z.strictObject({
  algorithm: z
    .enum(Object.keys(algorithmTraits) as AlgorithmName[])
    .default('rloo')
    .describe('How rewards become advantages; see docs/algorithms.md.'),
  reward_weight: z.number().positive().default(1).describe('Factor on every advantage.'),
  kl_penalty: z.number().min(0).default(0.1).describe('Coefficient of KL to the reference policy.'),
  kl_placement: z
    .enum(['k2_loss', 'k1_reward'])
    .default('k2_loss')
    .describe('Where the KL penalty enters: k2 estimator in the loss, or k1 in the reward.'),
  kl_target: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe('KL a token that kl_penalty is scaled to hold, step by step; null leaves it.'),
  generation_temperature: z.number().positive().default(1).describe('Sampling temperature.'),
  top_k: positiveInt
    .nullable()
    .default(null)
    .describe('Draw from the k likeliest tokens alone; null from all.'),
  top_p: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe('Draw from the likeliest tokens that sum to this probability; 1 from all.'),
  min_p: fraction
    .default(0)
    .describe('Draw from tokens at least this share as likely as the likeliest; 0 from all.'),
  stop_strings: z
    .array(z.string().min(1))
    .default([])
    .describe('Texts that end a completion and are left out of it.'),
  loss_aggregation: z
    .enum(['token_mean', 'sequence_mean'])
    .default('token_mean')
    .describe('Every token weighs the same, or every sample; dr_grpo has its own.'),
  mask_truncated: z
    .boolean()
    .default(false)
    .describe('Do not train on samples that max_new_tokens cut; they count in their group.'),
  reward_threshold: fraction
    .nullable()
    .default(null)
    .describe('Samples with a lower reward are not trained on; null keeps all.'),
  best_of_n_training: z
    .boolean()
    .default(false)
    .describe('Train on the best sample of every prompt alone.'),
  min_group_size: positiveInt
    .default(2)
    .describe('Groups in which rewards are missing and fewer samples are left are dropped.'),
  num_samples_per_prompt: positiveInt.default(8).describe('Group size N.'),
  prompts_per_epoch: positiveInt.default(96).describe('Prompts drawn (without repeats) an epoch.'),
  max_new_tokens: positiveInt.default(96).describe('Completion length limit, in tokens.'),
  clip_low: fraction.default(0.2).describe('Importance ratios under 1 - clip_low are clipped.'),
  clip_high: z.number().min(0).default(0.28).describe('Ratios over 1 + clip_high are clipped.'),
});

export type RlaifConfig = z.output<typeof rlaifSchema>;
