// Reads the rubric files that a run's judges name, so that the run holds them itself.

import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { resolveInput } from '../../config/paths.ts';
import { type JudgeRubric, judgeRubricSchema } from '../../config/schema/judge-reward.ts';
import type { RewardConfig } from '../../config/schema/rewards.ts';
import { AnnealError } from '../../errors.ts';

/**
 * The rewards with every rubric written out.
 * @throws AnnealError InvalidConfig for a rubric file that is missing or breaks its schema.
 */
export async function readRubrics(configs: readonly RewardConfig[]): Promise<RewardConfig[]> {
  return Promise.all(
    configs.map(async (config) =>
      config.kind === 'judge' && typeof config.rubric === 'string'
        ? { ...config, rubric: await readRubric(resolveInput(config.rubric, 'rewards.rubric')) }
        : config,
    ),
  );
}

async function readRubric(path: string): Promise<JudgeRubric> {
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
