// The `retention` section: what a run deletes of its own files.

import { z } from 'zod';
import { positiveInt } from './numbers.ts';

/** What a run deletes after each epoch. */
export const retentionSchema = z.strictObject({
  keep_last: positiveInt
    .nullable()
    .default(null)
    .describe('Keep the checkpoints of the last N epochs.'),
  keep_best: positiveInt
    .nullable()
    .default(null)
    .describe('Keep the checkpoints of the N epochs with the highest held-out reward.'),
  keep_every: positiveInt
    .nullable()
    .default(null)
    .describe(
      "Keep every Nth epoch's checkpoint (5 keeps 5, 10, 15). If all three are null, keep all checkpoints.",
    ),
  keep_samples: positiveInt
    .nullable()
    .default(null)
    .describe('Keep the samples of the last N epochs; null keeps all.'),
});

export type RetentionConfig = z.output<typeof retentionSchema>;
