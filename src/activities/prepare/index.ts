// Checks a run before anything is written, then copies its inputs into its folder, so that the run
// depends on nothing outside of it.

import type { Store } from '../../artifacts/store.ts';
import type { InputRoots } from '../../config/input-roots.ts';
import { resolveConfig } from '../../config/load.ts';
import { scoringModels } from '../../config/reward-traits.ts';
import type { RunConfig } from '../../config/schema/run.ts';
import { checkRunSize } from '../../config/size.ts';
import { checkRewards, readRewardFiles } from '../../rewards/kinds.ts';
import { runActivity } from '../activity.ts';
import type { PrepareInput, RunPlan } from '../contract.ts';
import { type Dependencies, inputRootsOf, storeOf } from '../dependencies.ts';
import { recordDifferences } from '../environment.ts';
import { checkOwner, writeManifest } from '../manifest.ts';
import { rewardServices } from '../reward-services.ts';
import { copyInputs } from './copy-inputs.ts';
import { readInputs } from './read-inputs.ts';

export function prepareWith(dependencies: Dependencies) {
  return async function prepare(input: PrepareInput): Promise<RunPlan> {
    const store = storeOf(dependencies, input.run);
    return runActivity(store, {}, async (scope) => {
      const roots = inputRootsOf(dependencies);
      const config = await completeConfig(input, roots);
      checkRunSize(config, 'run file');
      await checkOwner(store, input);
      const { models, runsDir } = dependencies;
      const { rewards, engine, name: run } = config;
      checkRewards(rewards, rewardServices(models, engine, { runsDir, run }));
      const inputs = await readInputs(config, { models, roots }, scope);
      const plan = await copyInputs(store, config, inputs);
      await describeRun(store, input, plan);
      const { resumed } = inputs;
      if (resumed) await recordDifferences(store, resumed.ref.epoch, resumed.differences);
      return plan;
    });
  };
}

/** The run file with its defaults, named after the workflow, and with the rewards' files in it. */
async function completeConfig({ file, run }: PrepareInput, roots: InputRoots): Promise<RunConfig> {
  const config = resolveConfig(file, 'run file');
  // Before rewards are created, which looks for their models.
  for (const { name, path } of scoringModels(config.rewards))
    roots.require(path, `rewards: path of '${name}'`);
  return { ...config, name: run, rewards: await readRewardFiles(config.rewards, roots.resolve) };
}

async function describeRun(store: Store, input: PrepareInput, plan: RunPlan): Promise<void> {
  const { prompts, policy, reference, rewardModels } = plan;
  await writeManifest(store, input, { prompts, policy, reference, rewardModels });
}
