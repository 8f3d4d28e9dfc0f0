// The list of phases: which epochs each has, and what it overrides.

import { z } from 'zod';
import { overridesOf } from './ramps.ts';
import { rlaifSchema } from './rlaif.ts';
import { trainingSchema } from './training.ts';

export const phaseSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and hyphens')
    .describe('Part of the ids of its epochs.'),
  epochs: z
    .tuple([z.int().min(0), z.int().min(0)])
    .describe('First and last epoch of the phase, both included.'),
  reset_reference: z
    .boolean()
    .default(false)
    .describe('At the start of the phase the policy of the epoch before becomes the reference.'),
  rlaif: overridesOf(rlaifSchema).prefault({}).describe('What this phase changes under rlaif.'),
  training: overridesOf(trainingSchema)
    .prefault({})
    .describe('What this phase changes under training.'),
});

export type PhaseConfig = z.output<typeof phaseSchema>;
