// `kind: reward_model`: a sequence classifier, which may be refitted between phases.

import { z } from 'zod';
import { loraSchema, promptFormatSchema } from './model.ts';
import { positiveInt } from './numbers.ts';
import { preferenceTrainingSchema } from './preference-training.ts';
import { rewardWeight } from './reward-weight.ts';

/** How a reward model is fitted further between phases, on what another reward said in a run. */
const refitSchema = z.strictObject({
  judge: z
    .string()
    .min(1)
    .describe('Name of the reward of this run by whose values programs are compared.'),
  pairs_per_group: positiveInt.default(4).describe('Pairs of a prompt and epoch at most.'),
  min_difference: z
    .number()
    .gt(0)
    .max(1)
    .default(0.1)
    .describe("Least difference of the judge's values in a pair."),
  held_out_share: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.2)
    .describe('Share of the training prompts whose pairs are held out to compare by.'),
  min_pairs: positiveInt
    .default(32)
    .describe('With fewer pairs to train on the reward model stays as it is.'),
  lora: loraSchema
    .nullable()
    .default(null)
    .describe('Train low-rank adapters and the head; null trains every weight.'),
  training: preferenceTrainingSchema.omit({ max_length: true }).prefault({}),
});

/** A trained judge: a sequence classifier with one score, run by the engine. */
export const rewardModelSchema = z.strictObject({
  kind: z.literal('reward_model').describe('The score of a reward model for prompt and program.'),
  name: z.string().min(1).default('reward_model').describe('Its name in metrics and reports.'),
  weight: rewardWeight,
  path: z
    .string()
    .min(1)
    .describe('Hugging Face folder of a …ForSequenceClassification with one label.'),
  prompt_format: promptFormatSchema
    .prefault({ kind: 'plain' })
    .describe('How prompt and program become the text that the model scores.'),
  shift: z.number().default(0).describe('Raw score that becomes 0.5.'),
  scale: z
    .number()
    .positive()
    .default(1)
    .describe('A raw score s becomes sigmoid((s - shift) / scale).'),
  gate: z
    .enum(['parses', 'none'])
    .default('parses')
    .describe('Programs that are empty or do not parse get 0, whatever the model says.'),
  batch_size: positiveInt.default(16).describe('Programs scored in one pass.'),
  max_length: positiveInt
    .default(1024)
    .describe('Prompt and program in tokens; a longer one is left without a score.'),
  refit: refitSchema
    .nullable()
    .default(null)
    .describe('Fit it further at the start of every phase but the first; null leaves it.'),
});

export type RefitConfig = z.output<typeof refitSchema>;
