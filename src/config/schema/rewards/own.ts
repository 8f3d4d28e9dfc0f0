// `kind: function`, `kind: http`, `kind: command`: rewards of one's own.

import { z } from 'zod';
import { fraction, positiveInt, sampleCount, seconds } from '../numbers.ts';
import { commonKeys } from './common-keys.ts';

const ownKeys = {
  batch_size: sampleCount.default(32).describe('Maximum number of distinct completions at once.'),
  concurrency: positiveInt
    .default(1)
    .describe('Maximum number of batches of one score activity at the same time.'),
  time_limit_s: seconds.default(60).describe('Time limit of one batch, in seconds.'),
  attempts: positiveInt
    .default(4)
    .describe('How often a batch that fails is tried before the run pauses.'),
  max_missing: fraction
    .default(1)
    .describe('The run pauses if a larger share of the samples in a shard has no score.'),
  version: z
    .string()
    .default('')
    .describe(
      'Change it when the same completion should get another score: kept scores are for one version.',
    ),
};

/** A function of a module; see docs/own-rewards.md. */
export const functionRewardSchema = z.strictObject({
  kind: z.literal('function').describe('A function of your own.'),
  ...commonKeys('function'),
  path: z
    .string()
    .min(1)
    .describe('ES module, in JavaScript or TypeScript, whose default export scores a batch.'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable()
    .default(null)
    .describe('Hash of the module, filled in when a run starts; the run uses no other.'),
  ...ownKeys,
});

/** A service; see docs/own-rewards.md. */
export const httpRewardSchema = z.strictObject({
  kind: z.literal('http').describe('A service of your own.'),
  ...commonKeys('http'),
  url: z
    .url({ protocol: /^https?$/, error: 'an address that begins with http:// or https://' })
    .describe('Address that batches are posted to.'),
  ...ownKeys,
  concurrency: ownKeys.concurrency.default(4),
});

/** A program; see docs/own-rewards.md. */
export const commandRewardSchema = z.strictObject({
  kind: z.literal('command').describe('A program of your own.'),
  ...commonKeys('command'),
  command: z
    .array(z.string())
    .min(1)
    .describe('Program and arguments, without a shell, such as [python3, reward.py].'),
  ...ownKeys,
});
