// `kind: judge`: a large language model that judges by a rubric.

import { z } from 'zod';
import { fraction, positiveInt } from './numbers.ts';
import { rewardWeight } from './reward-weight.ts';

const identifier = /^[a-z][a-z0-9_]*$/;

/** What a judge is asked of a program; a file of its own, or written into the run file. */
export const judgeRubricSchema = z.strictObject({
  instructions: z.string().default('').describe('What the judge should know beside the criteria.'),
  criteria: z
    .array(
      z.strictObject({
        name: z.string().regex(identifier, 'lower-case letters, digits and underscores'),
        weight: z.number().positive().default(1).describe('Its share in the mean of criteria.'),
        scale: z
          .enum(['binary', 'graded'])
          .default('binary')
          .describe('Met or not; or 0 to 4 points.'),
        description: z.string().min(1).describe('When it is met, or what earns points.'),
      }),
    )
    .min(1)
    .refine(
      (criteria) => new Set(criteria.map(({ name }) => name)).size === criteria.length,
      'names a criterion twice',
    ),
});

/** What a run may spend on a judge; null is no limit. */
const judgeBudget = z.strictObject({
  calls: positiveInt.nullable().default(null).describe('Requests, failed ones among them.'),
  tokens: positiveInt.nullable().default(null).describe('Tokens in and out together.'),
  usd: z.number().positive().nullable().default(null).describe('Money, by the two prices.'),
  input_price: z.number().min(0).default(0).describe('Dollars a million tokens in.'),
  output_price: z.number().min(0).default(0).describe('Dollars a million tokens out.'),
});

/** A large model that judges programs by a rubric; docs/judges.md. */
export const judgeSchema = z
  .strictObject({
    kind: z.literal('judge').describe('A large language model that judges by a rubric.'),
    name: z.string().min(1).default('judge').describe('Its name in metrics and reports.'),
    weight: rewardWeight,
    provider: z
      .enum(['openai-compatible', 'openai', 'anthropic'])
      .default('openai-compatible')
      .describe('Wire format and service.'),
    base_url: z
      .url()
      .nullable()
      .default(null)
      .describe("The service's address; null is the provider's own."),
    model: z.string().min(1).describe("The model's name at the provider."),
    api_key_env: z
      .string()
      .regex(/^[A-Z_][A-Z0-9_]*$/, 'the name of an environment variable, never the key itself')
      .nullable()
      .default(null)
      .describe("Variable that holds the key on score workers; null is the provider's usual one."),
    rubric: z
      .union([z.string().min(1), judgeRubricSchema])
      .describe('YAML file of criteria and instructions, or its content.'),
    mode: z
      .enum(['pointwise', 'groupwise'])
      .default('pointwise')
      .describe('A program a call, or all distinct ones of a prompt, shuffled.'),
    comments: z
      .enum(['strip', 'keep'])
      .default('strip')
      .describe('Of the program, before the judge sees it.'),
    names: z
      .enum(['keep', 'rename'])
      .default('keep')
      .describe("Of the program's own variables, before the judge sees it."),
    max_string_length: z
      .int()
      .min(0)
      .default(24)
      .describe('Longer string literals are cut before the judge sees them.'),
    temperature: z
      .number()
      .min(0)
      .nullable()
      .default(0)
      .describe("The judge's own; null leaves it to the provider."),
    max_output_tokens: positiveInt.default(1024).describe('Limit of an answer.'),
    structured_output: z
      .boolean()
      .default(true)
      .describe('Have an openai-compatible service hold answers to the JSON Schema.'),
    time_limit_s: z.number().positive().default(60).describe('Of one request.'),
    attempts: positiveInt
      .default(8)
      .describe('Requests for one verdict before it counts as missing.'),
    concurrency: positiveInt.default(8).describe('Requests in flight of one score activity.'),
    requests_per_minute: z
      .number()
      .positive()
      .nullable()
      .default(null)
      .describe('Held across all workers and runs of a store.'),
    tokens_per_minute: z
      .number()
      .positive()
      .nullable()
      .default(null)
      .describe('Held the same way, in and out together.'),
    max_missing: fraction
      .default(0.1)
      .describe('Share of samples of a shard without a verdict above which the epoch waits.'),
    second_opinions: fraction
      .default(0)
      .describe('Share of questions asked once more, in another order, to tell how steady it is.'),
    budget: judgeBudget.prefault({}).describe('Spent, the run pauses until it is resumed.'),
  })
  .superRefine(({ provider, base_url, budget }, context) => {
    if (provider === 'openai-compatible' && base_url === null)
      context.addIssue({
        code: 'custom',
        path: ['base_url'],
        message: 'must be the address of an openai-compatible service, such as http://host:8000/v1',
      });
    if (budget.usd !== null && budget.input_price + budget.output_price === 0)
      context.addIssue({
        code: 'custom',
        path: ['budget', 'usd'],
        message: 'needs input_price or output_price to count by',
      });
  });

export type JudgeConfig = z.output<typeof judgeSchema>;
export type JudgeRubric = z.output<typeof judgeRubricSchema>;
