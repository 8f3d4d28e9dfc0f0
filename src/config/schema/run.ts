// The run file: one strict schema, from which defaults, JSON Schema and types are derived. Keys keep
// the snake_case names of the system this project grew from. load.ts reads files and applies flags.

import { z } from 'zod';
import { engineSchema } from './engine.ts';
import { evaluationSchema } from './evaluation.ts';
import { modelSchema } from './model.ts';
import { fitsFileName } from './names.ts';
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
      .superRefine(fitsFileName)
      .default('run')
      .describe('Workflow id of the run, and name of its folder; at most 255 bytes.'),
    seed: z.int().min(0).max(0xffffffff).default(0).describe('Random seed of the run.'),
    model: modelSchema,
    resume_from: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe('Checkpoint of another run to continue from: a folder or an s3:// address.'),
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
    success: successSchema.prefault({}).describe('Targets that the analysis page reports on.'),
    retention: retentionSchema
      .nullable()
      .default(null)
      .describe('What to delete after each epoch; null keeps everything. See docs/operations.md.'),
    phases: z.array(phaseSchema).min(1),
  })
  .superRefine(checkRun);

/** A resolved run file: every default filled in. */
export type RunConfig = z.output<typeof runSchema>;
/** A run file as a person writes it. */
export type RunFile = z.input<typeof runSchema>;
