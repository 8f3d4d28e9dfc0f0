// Whether a folder holds a policy that can be sampled from and trained, without reading weights.

import type { PromptFormat } from '../config/schema.ts';
import { openPolicyFolder, type PolicyFolder } from '../engine/model/policy-folder.ts';
import { locateParameters } from '../engine/model/weights.ts';
import { createPromptEncoder } from '../engine/prompt-format.ts';
import { readTokenizer } from '../engine/tokenizer.ts';

/**
 * Check architecture, every parameter's place and shape, and the tokenizer; of adapters, those of
 * their base. Where a prompt format is given, check that a prompt can be written in it.
 * @throws AnnealError InvalidModel
 */
export async function checkModelFolder(
  folder: string,
  promptFormat?: PromptFormat,
): Promise<PolicyFolder> {
  const policy = await openPolicyFolder(folder);
  await locateParameters(policy.base, policy.config);
  const tokenizer = await readTokenizer(policy.base);
  if (promptFormat) (await createPromptEncoder(tokenizer, promptFormat))('a prompt');
  return policy;
}
