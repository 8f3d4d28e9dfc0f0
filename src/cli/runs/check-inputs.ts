// Checks the inputs of a run before anything starts: model folders, prompt files, the settings of
// each phase. The run checks them again on its worker, which may be another machine.

import { checkPhases, checkPromptCounts } from '../../activities/settings-check.ts';
import { isS3Url } from '../../artifacts/address.ts';
import { resolveCheckpoint, resolveInput } from '../../config/paths.ts';
import { runsCode, scoringModels } from '../../config/reward-traits.ts';
import type { RunConfig } from '../../config/schema/run.ts';
import { checkModelFolder } from '../../engine/inference/check-model-folder.ts';
import { checkSingleScore } from '../../engine/inference/sequence-classifier.ts';
import { allowCode } from '../../rewards/own/permission.ts';
import { readPrompts } from '../../rewards/prompts.ts';

/** @throws AnnealError InvalidConfig, InvalidModel or InvalidData for the first bad input. */
export async function checkInputs(config: RunConfig): Promise<void> {
  checkPhases(config);
  const { model, resume_from, prompts } = config;
  await checkModelFolder(resolveInput(model.path, 'model.path'), model.prompt_format);
  if (model.reference !== null)
    await checkModelFolder(resolveInput(model.reference, 'model.reference'));
  // A checkpoint in an object store is downloaded and checked by the worker that resumes from it.
  if (resume_from !== null && !isS3Url(resume_from))
    await checkModelFolder(resolveCheckpoint(resume_from));
  for (const { name, path, prompt_format } of scoringModels(config.rewards)) {
    const folder = resolveInput(path, `rewards: path of '${name}'`);
    const { config: described } = await checkModelFolder(folder, prompt_format);
    checkSingleScore(folder, described);
  }
  const train = await readPrompts(resolveInput(prompts.train, 'prompts.train'));
  const heldOut = await readPrompts(resolveInput(prompts.held_out, 'prompts.held_out'));
  checkPromptCounts(config, train.length, heldOut.length);
}

/**
 * What a worker that is started for a run file may do: whoever starts it trusts the file. It may
 * read these paths wherever they are, and run the code that the file names.
 */
export function trustedPathsOf(config: RunConfig): string[] {
  if (config.rewards.some(runsCode)) allowCode();
  return inputPathsOf(config);
}

/** Everything that a run file names. */
export function inputPathsOf({ prompts, model, resume_from, rewards }: RunConfig): string[] {
  const rubrics = rewards.map((reward) => ('rubric' in reward ? reward.rubric : null));
  const modules = rewards.map((reward) => (reward.kind === 'function' ? reward.path : null));
  const models = scoringModels(rewards).map(({ path }) => path);
  const named = [prompts.train, prompts.held_out, model.path, model.reference, resume_from];
  return [...named, ...models, ...rubrics, ...modules].filter((path) => typeof path === 'string');
}
