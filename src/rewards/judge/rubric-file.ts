// Reads the rubric file that a judge names.

import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { resolveInput } from '../../config/paths.ts';
import { type JudgeRubric, judgeRubricSchema } from '../../config/schema/rewards/judge.ts';
import { AnnealError } from '../../errors.ts';

/** @throws AnnealError InvalidConfig for a rubric file that is missing or breaks its schema. */
export async function readRubric(file: string): Promise<JudgeRubric> {
  const path = resolveInput(file, 'rewards.rubric');
  const refuse = (what: string) => new AnnealError('InvalidConfig', `${path}: ${what}`);
  let data: unknown;
  try {
    data = parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw refuse(`expected a rubric in YAML, found: ${(error as Error).message}`);
  }
  const result = judgeRubricSchema.safeParse(data);
  if (result.success) return result.data;
  throw refuse(z.prettifyError(result.error));
}
