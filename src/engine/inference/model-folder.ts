// Whether a folder holds a policy that can be sampled from and trained, without reading weights.

import type { PromptFormat } from '../../config/schema/model.ts';
import { openPolicyFolder, type PolicyFolder } from '../files/policy-folder.ts';
import { locateParameters } from '../files/weights.ts';
import { createPromptEncoder } from '../text/prompt-format.ts';
import { readTokenizer } from '../text/tokenizer.ts';

/** A policy's folder, and where its base's parameters lie. */
export interface CheckedFolder extends PolicyFolder {
  parameters: Awaited<ReturnType<typeof locateParameters>>;
}

/**
 * Check architecture, every parameter's place and shape, and the tokenizer; of adapters, those of
 * their base, whose parameters come back with the policy. Where a prompt format is given, check that a prompt can be written in it.
 * @throws AnnealError InvalidModel
 */
export async function checkModelFolder(
  folder: string,
  promptFormat?: PromptFormat,
): Promise<CheckedFolder> {
  const policy = await openPolicyFolder(folder);
  const parameters = await locateParameters(policy.base, policy.config);
  const tokenizer = await readTokenizer(policy.base);
  if (promptFormat) (await createPromptEncoder(tokenizer, promptFormat))('a prompt');
  return { ...policy, parameters };
}
