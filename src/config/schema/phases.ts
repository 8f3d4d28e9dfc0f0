// The list of phases: the epochs of each, and the settings it overrides.

import { z } from 'zod';
import { fitsFileName } from './names.ts';
import { epochNumber } from './numbers.ts';
import { overridesOf } from './ramps.ts';
import { rlaifSchema } from './rlaif.ts';
import { trainingSchema } from './training.ts';

export const phaseSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and hyphens')
    .superRefine(fitsFileName)
    .describe('Name of the phase; part of the workflow ids of its epochs.'),
  epochs: z
    .tuple([epochNumber, epochNumber])
    .describe('First and last epoch of the phase, inclusive.'),
  reset_reference: z
    .boolean()
    .default(false)
    .describe(
      'At the start of the phase, make the current policy the reference policy and reset the optimiser.',
    ),
  rlaif: overridesOf(rlaifSchema)
    .prefault({})
    .describe('Settings under rlaif that this phase overrides.'),
  training: overridesOf(trainingSchema)
    .prefault({})
    .describe('Settings under training that this phase overrides.'),
});

export type PhaseConfig = z.output<typeof phaseSchema>;
