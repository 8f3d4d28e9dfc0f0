// The file of `anneal reward-model train`: the base model and pairs, how to train, and where to
// write the reward model.

import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { AnnealError } from '../../errors.ts';
import { promptFormatSchema } from './model.ts';
import { fitsFileName } from './names.ts';
import { preferenceTrainingSchema } from './preference-training.ts';
import { runSchema } from './run.ts';

export const rewardModelFileSchema = z.strictObject({
  /** Workflow id, and name of the checkpoint folder among the runs. */
  name: runSchema.shape.name.unwrap().default('reward-model'),
  seed: z.int().min(0).max(0xffffffff).default(0),
  /** Hugging Face folder of a language model, which gets a new head, or of a classifier. */
  base: z.string().min(1),
  /** JSONL file of pairs {"prompt", "chosen", "rejected"}. */
  pairs: z.string().min(1),
  /** JSONL file of pairs to evaluate on; null holds out a share of the prompts in `pairs`. */
  held_out: z.string().min(1).nullable().default(null),
  held_out_share: z.number().gt(0).lt(1).default(0.1),
  prompt_format: promptFormatSchema.prefault({ kind: 'plain' }),
  /** Train low-rank adapters and the head, merged at the end; null trains every weight. */
  lora: runSchema.shape.model.shape.lora,
  engine: runSchema.shape.engine
    .unwrap()
    .omit({ shard_prompts: true, stall_seconds: true })
    .prefault({}),
  training: preferenceTrainingSchema.prefault({}),
  /** Folder for the model, report.md and report.json; it must be new or empty. */
  out: z.string().min(1).superRefine(fitsFileName),
});
/** A checked file with every default filled in. */
export type RewardModelConfig = z.output<typeof rewardModelFileSchema>;

/**
 * Check the content of a file and fill in its defaults.
 * @throws AnnealError InvalidConfig; `source` names the data in it
 */
export function resolveRewardModelConfig(content: unknown, source: string): RewardModelConfig {
  const checked = rewardModelFileSchema.safeParse(content);
  if (checked.success) return checked.data;
  throw new AnnealError('InvalidConfig', `${source}: ${z.prettifyError(checked.error)}`);
}

/** Read a file, YAML or JSON. @throws AnnealError InvalidConfig */
export async function loadRewardModelFile(path: string): Promise<RewardModelConfig> {
  const content = await readFile(path, 'utf8')
    .then((text): unknown => parse(text))
    .catch((cause) => {
      const message = `${path}: expected a reward model file, cannot read it: ${(cause as Error).message}`;
      throw new AnnealError('InvalidConfig', message, { cause });
    });
  return resolveRewardModelConfig(content, path);
}
