// The tokens that end a completion: those of generation_config.json, otherwise of config.json, as in
// transformers' generate. (If generation_config.json names none, generate stops at none; here those
// of config.json still apply.)

import { join } from 'node:path';
import { z } from 'zod';
import { AnnealError } from '../../errors.ts';
import { parseJson } from './json.ts';
import { readModelText } from './model-files.ts';

const id = z.int().min(0);
const fileSchema = z.looseObject({ eos_token_id: z.union([id, z.array(id).min(1)]).nullish() });

/**
 * @param declared config.json's eos_token_id
 * @throws AnnealError InvalidModel if generation_config.json is malformed
 */
export async function readStopTokens(
  folder: string,
  declared: number | number[] | null | undefined,
): Promise<number[]> {
  const tokens = (await readGenerationConfig(folder))?.eos_token_id ?? declared ?? [];
  return Array.isArray(tokens) ? tokens : [tokens];
}

async function readGenerationConfig(
  folder: string,
): Promise<z.output<typeof fileSchema> | undefined> {
  const file = join(folder, 'generation_config.json');
  const text = await readModelText(file);
  if (text === null) return undefined;
  const parsed = fileSchema.safeParse(parseJson(file, text));
  if (parsed.success) return parsed.data;
  throw new AnnealError(
    'InvalidModel',
    `${file}: expected an object whose eos_token_id is a token id or a list of them; ${z.prettifyError(parsed.error)}`,
  );
}
