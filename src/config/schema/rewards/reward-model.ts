// `kind: reward_model`: a sequence classifier, which can be refitted between phases.

import { z } from 'zod';
import { loraSchema, promptFormatSchema } from '../model.ts';
import { positiveInt, sampleCount, tokenCount } from '../numbers.ts';
import { preferenceTrainingSchema } from '../preference-training.ts';
import { commonKeys } from './common-keys.ts';

/** How a reward model is refitted between phases to the values of another reward of the run. */
const refitSchema = z.strictObject({
  judge: z.string().min(1).describe('Name of the reward of this run that ranks the programs.'),
  pairs_per_group: positiveInt
    .default(4)
    .describe('Maximum number of pairs from one prompt in one epoch.'),
  min_difference: z
    .number()
    .gt(0)
    .max(1)
    .default(0.1)
    .describe("Minimum difference between the judge's values in a pair."),
  held_out_share: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.2)
    .describe(
      'Share of training prompts whose pairs are held out, to compare the model before and after.',
    ),
  min_pairs: positiveInt
    .default(32)
    .describe('With fewer training pairs than this, the model is not refitted.'),
  lora: loraSchema
    .nullable()
    .default(null)
    .describe('Train low-rank adapters and the head; null trains every weight.'),
  training: preferenceTrainingSchema.omit({ max_length: true }).prefault({}),
});

/** A trained judge: a sequence classifier with one score, run by the engine. */
export const rewardModelSchema = z.strictObject({
  kind: z.literal('reward_model').describe('Score of a reward model for prompt and program.'),
  ...commonKeys('reward_model'),
  path: z
    .string()
    .min(1)
    .describe('Hugging Face folder of a …ForSequenceClassification model with one label.'),
  prompt_format: promptFormatSchema
    .prefault({ kind: 'plain' })
    .describe('How prompt and program become the text that the model scores.'),
  shift: z.number().default(0).describe('Raw score that maps to 0.5.'),
  scale: z
    .number()
    .positive()
    .default(1)
    .describe('A raw score s becomes sigmoid((s - shift) / scale).'),
  gate: z
    .enum(['parses', 'none'])
    .default('parses')
    .describe(
      'Programs that are empty or do not parse score 0 without asking the model (parses), or are scored like any other (none).',
    ),
  batch_size: sampleCount.default(16).describe('Programs scored in one pass.'),
  max_length: tokenCount
    .default(1024)
    .describe('Maximum length of prompt and program, in tokens; longer ones get no score.'),
  refit: refitSchema
    .nullable()
    .default(null)
    .describe('Refit the model at the start of every phase but the first; null never does.'),
});
