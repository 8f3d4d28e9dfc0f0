// The keys that every kind of reward has.

import { z } from 'zod';
import { fitsFileName } from '../names.ts';

/** @param kind the default name. */
export const commonKeys = (kind: string) => ({
  name: z
    .string()
    .regex(/^(?!\.{1,2}$)[^/\\]+$/, 'a name without slashes')
    .superRefine(fitsFileName)
    .default(kind)
    .describe('Name in metrics and reports.'),
  weight: z
    .number()
    .min(0)
    .default(1)
    .describe('Weight in the sum of rewards; with 0 the reward is only reported.'),
});
