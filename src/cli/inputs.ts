// Checks what a run file names before anything starts: model folders, prompt files, settings of
// each phase. The run checks the same again on the worker, which may be another machine.

import { checkPhases, checkPromptCounts } from '../activities/settings-check.ts';
import { resolveInput } from '../config/paths.ts';
import type { RunConfig } from '../config/schema.ts';
import { readModelConfig } from '../engine/model/config.ts';
import { locateParameters } from '../engine/model/weights.ts';
import { readTokenizer } from '../engine/tokenizer.ts';
import { readPrompts } from '../rewards/prompts.ts';

/** @throws AnnealError InvalidConfig, InvalidModel or InvalidData for the first input amiss. */
export async function checkInputs(config: RunConfig): Promise<void> {
  checkPhases(config);
  const { model, resume_from, prompts } = config;
  await checkModel(model.path, 'model.path');
  if (model.reference !== null) await checkModel(model.reference, 'model.reference');
  if (resume_from !== null) await checkModel(resume_from, 'resume_from');
  const train = await readPrompts(resolveInput(prompts.train, 'prompts.train'));
  const heldOut = await readPrompts(resolveInput(prompts.held_out, 'prompts.held_out'));
  checkPromptCounts(config, train.length, heldOut.length);
}

/** Architecture, every parameter's place and shape, and the tokenizer; no weights are read. */
async function checkModel(path: string, what: string): Promise<void> {
  const folder = resolveInput(path, what);
  await locateParameters(folder, await readModelConfig(folder));
  await readTokenizer(folder);
}
