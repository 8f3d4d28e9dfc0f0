// Finds and checks everything that a run file names.

import { log } from '@temporalio/activity';
import type { InputRoots } from '../../config/input-roots.ts';
import { scoringModels } from '../../config/reward-traits.ts';
import type { RunConfig } from '../../config/schema/run.ts';
import { readAdapterFolder } from '../../engine/files/adapter-folder.ts';
import type { ModelInfo } from '../../engine/inference/jobs.ts';
import { checkSingleScore } from '../../engine/inference/sequence-classifier.ts';
import { AnnealError } from '../../errors.ts';
import type { Prompt } from '../../records/prompts.ts';
import { readPrompts } from '../../rewards/prompts.ts';
import type { ModelService } from '../../rl/model-service.ts';
import type { ActivityScope } from '../activity.ts';
import { checkPhases, checkPromptCounts } from '../settings-check.ts';
import { type Resumed, readResumed } from './resumed.ts';

/** The inputs of a run, checked. */
export interface Inputs {
  train: Prompt[];
  heldOut: Prompt[];
  /** Absolute paths of model folders. */
  policy: string;
  reference: string | null;
  /** By the name of the reward. */
  rewardModels: [name: string, folder: string][];
  /** The checkpoint of another run that this one continues, if any. */
  resumed: Resumed | null;
}

/** What reads the inputs, and where they may be. */
interface Sources {
  models: ModelService;
  roots: InputRoots;
}

/** @throws AnnealError InvalidConfig, InvalidData, InvalidModel or DamagedArtifact */
export async function readInputs(
  config: RunConfig,
  sources: Sources,
  scope: ActivityScope,
): Promise<Inputs> {
  checkPhases(config);
  const prompts = await readPromptFiles(config, sources);
  const { resume_from } = config;
  if (resume_from !== null) sources.roots.require(resume_from, 'resume_from');
  const resumed = resume_from === null ? null : await readResumed(resume_from, config);
  const policies = await readPolicies(config, resumed, sources, scope);
  const rewardModels = await readRewardModels(config, sources, scope);
  return { ...prompts, ...policies, rewardModels, resumed };
}

async function readPromptFiles(config: RunConfig, { roots }: Sources) {
  const { prompts } = config;
  const train = await readPrompts(roots.resolve(prompts.train, 'prompts.train'));
  const heldOut = await readPrompts(roots.resolve(prompts.held_out, 'prompts.held_out'));
  checkPromptCounts(config, train.length, heldOut.length);
  return { train, heldOut };
}

async function readPolicies(
  { model }: RunConfig,
  resumed: Resumed | null,
  { models, roots }: Sources,
  scope: ActivityScope,
) {
  const policy = resumed?.folder ?? roots.resolve(model.path, 'model.path');
  const reference = model.reference && roots.resolve(model.reference, 'model.reference');
  if (!resumed) await rejectAdapters('model.path', policy);
  if (reference !== null) await rejectAdapters('model.reference', reference);
  warnOfUnused(
    policy,
    await models.inspect({ model: policy, promptFormat: model.prompt_format }, scope),
  );
  if (reference !== null)
    warnOfUnused(reference, await models.inspect({ model: reference }, scope));
  return { policy, reference };
}

/** Check the reward models among the rewards. @throws AnnealError InvalidModel */
async function readRewardModels(
  config: RunConfig,
  { models, roots }: Sources,
  scope: ActivityScope,
) {
  const found: Inputs['rewardModels'] = [];
  for (const { name, path, prompt_format } of scoringModels(config.rewards)) {
    const key = `rewards: path of '${name}'`;
    const model = roots.resolve(path, key);
    await rejectAdapters(key, model);
    const info = await models.inspect({ model, promptFormat: prompt_format }, scope);
    checkSingleScore(model, info);
    warnOfUnused(model, info);
    found.push([name, model]);
  }
  return found;
}

/** Say in the worker's log what a model's folder has and its model does not read. */
function warnOfUnused(model: string, { unused: { tensors, keys } }: ModelInfo): void {
  if (tensors.length + keys.length === 0) return;
  log.warn('the model does not read all of its folder', { model, tensors, keys });
}

/** A run copies the models that it starts from; adapters would be copied without their base. */
async function rejectAdapters(key: string, folder: string): Promise<void> {
  if (!(await readAdapterFolder(folder))) return;
  throw new AnnealError(
    'InvalidModel',
    `${key}: expected a whole model, found adapters in '${folder}'; continue from a run's adapters with resume_from, or merge them into their base with anneal merge`,
  );
}
