// Checks a reward model file and copies its inputs into the training's folder.

import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { commitCheckpoint } from '../../artifacts/checkpoints.ts';
import { layout } from '../../artifacts/layout.ts';
import {
  type RewardModelConfig,
  resolveRewardModelConfig,
} from '../../config/schema/reward-model-file.ts';
import { AnnealError } from '../../errors.ts';
import { runActivity } from '../activity.ts';
import type { PrepareInput } from '../contract.ts';
import { type Dependencies, inputRootsOf, storeOf } from '../dependencies.ts';
import { checkOwner, writeManifest } from '../manifest.ts';
import type { RewardModelPlan } from './contract.ts';
import { readPairs, writePairs } from './pairs.ts';

export function prepareRewardModelWith(dependencies: Dependencies) {
  const { models } = dependencies;
  return async function prepareRewardModel(input: PrepareInput): Promise<RewardModelPlan> {
    const store = storeOf(dependencies, input.run);
    return runActivity(store, {}, async (scope) => {
      const config = checkedConfig(input.file, input.run);
      await checkOwner(store, input);
      const roots = inputRootsOf(dependencies);
      roots.require(resolve(config.out), 'out');
      await checkOut(config.out);
      const split = await readPairs(config, roots.resolve);
      const base = roots.resolve(config.base, 'base');
      await models.inspect({ model: base, promptFormat: config.prompt_format }, scope);
      const path = layout.startCheckpoint;
      const scratch = await store.scratch(path);
      await models.makeClassifier({ model: base, seed: config.seed, out: scratch }, scope);
      const start = await commitCheckpoint(store, scratch, { path, epoch: 0, step: 0 });
      const pairs = await writePairs(store, undefined, split);
      await store.write(layout.config, `${JSON.stringify(config, null, 2)}\n`);
      await writeManifest(store, input, { pairs, start });
      return { config, pairs, start };
    });
  };
}

/** The file with its defaults, named after the workflow. */
function checkedConfig(file: unknown, run: string): RewardModelConfig {
  const config = resolveRewardModelConfig(file, 'reward model file');
  return resolveRewardModelConfig({ ...config, name: run }, 'workflow id');
}

/** Nothing is overwritten. @throws AnnealError InvalidConfig */
export async function checkOut(out: string): Promise<void> {
  const found = await readdir(resolve(out)).catch(() => []);
  if (found.length > 0)
    throw new AnnealError(
      'InvalidConfig',
      `out: expected a new or empty folder, found ${found.length} files in '${out}'; name another folder, or move the files away`,
    );
}
