// `kind: rubric`: the built-in rubric.

import { z } from 'zod';
import { positiveInt } from '../numbers.ts';
import { commonKeys } from './common-keys.ts';

/** Tests and static criteria of the built-in rubric. */
export const rubricSchema = z.strictObject({
  kind: z
    .literal('rubric')
    .describe('Built-in rubric of tests, and criteria checked in the parsed program.'),
  ...commonKeys('rubric'),
  criteria: z
    .strictObject({
      correctness: z.number().min(0).default(0.3).describe('Weight of the share of tests passed.'),
      quality: z.number().min(0).default(0.3).describe('Weight of clean, idiomatic code.'),
      efficiency: z.number().min(0).default(0.2).describe('Weight of avoiding needless work.'),
      documentation: z.number().min(0).default(0.2).describe('Weight of a complete doc comment.'),
    })
    .prefault({})
    .describe('Weights of the criteria; they are normalised to sum to 1.'),
  normalize_by_reference: z
    .boolean()
    .default(true)
    .describe("Divide by the reference solution's score and clip to [0, 1]."),
  time_limit_ms: positiveInt
    .max(3_600_000)
    .default(100)
    .describe('Time limit of one program with its tests, in milliseconds.'),
  memory_limit_mb: positiveInt.max(500).default(16).describe('Memory limit of one program, in MB.'),
});
