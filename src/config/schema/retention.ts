// The `retention` section: what a run deletes of its own files.

import { z } from 'zod';
import { positiveInt } from './numbers.ts';

/** What a run takes away of itself, after each epoch. */
export const retentionSchema = z.strictObject({
  keep_last: positiveInt
    .nullable()
    .default(null)
    .describe('Keep the checkpoints of the latest so many epochs.'),
  keep_best: positiveInt
    .nullable()
    .default(null)
    .describe('Keep those of so many epochs with the highest held-out reward.'),
  keep_every: positiveInt
    .nullable()
    .default(null)
    .describe('Keep those of every so many-th epoch: 5 keeps 5, 10, 15. All three null keep all.'),
  keep_samples: positiveInt
    .nullable()
    .default(null)
    .describe('Keep the samples of the latest so many epochs; null keeps all.'),
});

export type RetentionConfig = z.output<typeof retentionSchema>;
