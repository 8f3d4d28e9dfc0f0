// `kind: rubric`: the built-in rubric.

import { z } from 'zod';
import { positiveInt } from './numbers.ts';
import { rewardWeight } from './reward-weight.ts';

/** Weighted criteria of the built-in rubric; they are normalised to sum to 1. */
export const rubricSchema = z.strictObject({
  kind: z.literal('rubric').describe('Tests, and criteria judged by parsing the program.'),
  name: z.string().min(1).default('rubric').describe('Its name in metrics and reports.'),
  weight: rewardWeight,
  criteria: z
    .strictObject({
      correctness: z.number().min(0).default(0.3).describe('Share of tests passed.'),
      quality: z.number().min(0).default(0.3).describe('Clean, idiomatic code.'),
      efficiency: z.number().min(0).default(0.2).describe('No needless work.'),
      documentation: z.number().min(0).default(0.2).describe('A doc comment, complete.'),
    })
    .prefault({}),
  normalize_by_reference: z
    .boolean()
    .default(true)
    .describe("Divide by the reference solution's score, clipped to [0, 1]."),
  time_limit_ms: positiveInt.default(100).describe('Time limit of one program with its tests.'),
  memory_limit_mb: positiveInt.default(16).describe('Memory limit of one program.'),
});
