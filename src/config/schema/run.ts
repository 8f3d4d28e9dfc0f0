// The run file: one strict schema, from which defaults, JSON Schema and types are derived. Keys keep
// the names of the system this project grew from (snake_case). Reading files and applying flags
// is load.ts.

import { z } from 'zod';
import { engineSchema } from './engine.ts';
import { evaluationSchema } from './evaluation.ts';
import { modelSchema } from './model.ts';
import { phaseSchema } from './phases.ts';
import { retentionSchema } from './retention.ts';
import { rewardSchema } from './rewards.ts';
import { rlaifSchema } from './rlaif.ts';
import { checkRun } from './run-checks.ts';
import { successSchema } from './success.ts';
import { trainingSchema } from './training.ts';

/** The whole run file. */
export const runSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'letters, digits, dots, hyphens and underscores')
      .default('run')
      .describe('The workflow id and the name of the run folder.'),
    seed: z.int().min(0).max(0xffffffff).default(0).describe('Seed of everything random.'),
    model: modelSchema,
    resume_from: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe(
        "An epoch's checkpoint of another run to continue from: a folder, or its s3:// address.",
      ),
    prompts: z.strictObject({
      train: z.string().min(1).describe('JSONL file of prompts to train on.'),
      held_out: z.string().min(1).describe('JSONL file of prompts to evaluate on.'),
    }),
    engine: engineSchema.prefault({}),
    rlaif: rlaifSchema.prefault({}),
    training: trainingSchema.prefault({}),
    evaluation: evaluationSchema.prefault({}),
    rewards: z
      .array(rewardSchema)
      .min(1)
      .prefault([{ kind: 'rubric' }]),
    success: successSchema
      .prefault({})
      .describe('The success metrics that the analysis page reports on.'),
    retention: retentionSchema
      .nullable()
      .default(null)
      .describe('What goes after each epoch; null keeps everything. See docs/operations.md.'),
    phases: z.array(phaseSchema).min(1),
  })
  .superRefine(checkRun);

/** A resolved run file: every default filled in. */
export type RunConfig = z.output<typeof runSchema>;
/** A run file as a person writes it. */
export type RunFile = z.input<typeof runSchema>;
