// `kind: judge`: a large language model that judges by a rubric.

import { z } from 'zod';
import { fraction, positiveInt, seconds, tokenCount } from '../numbers.ts';
import { commonKeys } from './common-keys.ts';

const identifier = /^[a-z][a-z0-9_]*$/;

/** What a judge is asked about a program: a file of its own, or part of the run file. */
export const judgeRubricSchema = z.strictObject({
  instructions: z.string().default('').describe('What the judge should know besides the criteria.'),
  criteria: z
    .array(
      z.strictObject({
        name: z
          .string()
          .regex(identifier, 'lower-case letters, digits and underscores')
          .describe('Name of the criterion in metrics and reports.'),
        weight: z.number().positive().default(1).describe('Weight in the mean of the criteria.'),
        scale: z
          .enum(['binary', 'graded'])
          .default('binary')
          .describe('Met or not (binary), or 0 to 4 points (graded).'),
        description: z.string().min(1).describe('When the criterion is met, or what earns points.'),
      }),
    )
    .min(1)
    .refine(
      (criteria) => new Set(criteria.map(({ name }) => name)).size === criteria.length,
      'names a criterion twice',
    ),
});

/** What a run may spend on a judge. */
const judgeBudget = z.strictObject({
  calls: positiveInt
    .nullable()
    .default(null)
    .describe('Maximum number of requests, including failed ones; null sets no limit.'),
  tokens: positiveInt
    .nullable()
    .default(null)
    .describe('Maximum number of tokens, input plus output; null sets no limit.'),
  usd: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe('Maximum cost in US dollars, computed from the two prices; null sets no limit.'),
  input_price: z.number().min(0).default(0).describe('US dollars per million input tokens.'),
  output_price: z.number().min(0).default(0).describe('US dollars per million output tokens.'),
});

/** A large language model that judges programs by a rubric; see docs/judges.md. */
export const judgeSchema = z
  .strictObject({
    kind: z.literal('judge').describe('A large language model that judges by a rubric.'),
    ...commonKeys('judge'),
    provider: z
      .enum(['openai-compatible', 'openai', 'anthropic'])
      .default('openai-compatible')
      .describe('API and service to call.'),
    base_url: z
      .url({ protocol: /^https?$/, error: 'an address that begins with http:// or https://' })
      .nullable()
      .default(null)
      .describe("Address of the service; null uses the provider's own."),
    model: z.string().min(1).describe('Name of the model at the provider.'),
    api_key_env: z
      .string()
      .regex(/^[A-Z_][A-Z0-9_]*$/, 'the name of an environment variable, never the key itself')
      .nullable()
      .default(null)
      .describe(
        "Environment variable of score workers that holds the API key, which they must allow for the service; null uses the provider's usual one. See docs/judges.md.",
      ),
    rubric: z
      .union([z.string().min(1), judgeRubricSchema])
      .describe('YAML file with criteria and instructions, or its content.'),
    mode: z
      .enum(['pointwise', 'groupwise'])
      .default('pointwise')
      .describe(
        'One program per request (pointwise), or all distinct programs of a prompt in one request, shuffled (groupwise).',
      ),
    comments: z
      .enum(['strip', 'keep'])
      .default('strip')
      .describe('Strip or keep the comments of a program before the judge sees it.'),
    names: z
      .enum(['keep', 'rename'])
      .default('keep')
      .describe("Keep or rename what a program's author named before the judge sees it."),
    max_string_length: z
      .int()
      .min(0)
      .default(24)
      .describe('Cut string literals to this many characters before the judge sees them.'),
    temperature: z
      .number()
      .min(0)
      .nullable()
      .default(0)
      .describe('Sampling temperature of the judge; null leaves it to the provider.'),
    max_output_tokens: tokenCount.default(1024).describe('Maximum length of an answer, in tokens.'),
    structured_output: z
      .boolean()
      .default(true)
      .describe(
        'Have the service enforce the JSON Schema of answers. If false, requests name no format.',
      ),
    time_limit_s: seconds.default(60).describe('Time limit of one request, in seconds.'),
    attempts: positiveInt
      .default(8)
      .describe('Requests for one verdict before it counts as missing.'),
    concurrency: positiveInt
      .default(8)
      .describe('Maximum number of concurrent requests of one score activity.'),
    requests_per_minute: z
      .number()
      .positive()
      .nullable()
      .default(null)
      .describe('Limit shared by all workers and runs of a store; null sets no limit.'),
    tokens_per_minute: z
      .number()
      .positive()
      .nullable()
      .default(null)
      .describe('Limit on input plus output tokens, shared the same way; null sets no limit.'),
    max_missing: fraction
      .default(0.1)
      .describe('The epoch waits if a larger share of the samples in a shard has no verdict.'),
    second_opinions: fraction
      .default(0)
      .describe(
        'Share of questions asked again in another order, to measure how consistent the judge is.',
      ),
    budget: judgeBudget
      .prefault({})
      .describe('Limits on spending. When one is reached, the run pauses until it is resumed.'),
  })
  .superRefine(({ provider, base_url, budget }, context) => {
    if (provider === 'openai-compatible' && base_url === null)
      context.addIssue({
        code: 'custom',
        path: ['base_url'],
        message:
          'expected the address of an openai-compatible service, such as http://host:8000/v1',
      });
    if (budget.usd !== null && budget.input_price + budget.output_price === 0)
      context.addIssue({
        code: 'custom',
        path: ['budget', 'usd'],
        message: 'expected input_price or output_price as well, to compute the cost',
      });
  });

export type JudgeConfig = z.output<typeof judgeSchema>;
export type JudgeRubric = z.output<typeof judgeRubricSchema>;
