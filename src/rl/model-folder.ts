// Whether a folder holds a policy that can be sampled from and trained, without reading weights.

import { openPolicyFolder, type PolicyFolder } from '../engine/model/policy-folder.ts';
import { locateParameters } from '../engine/model/weights.ts';
import { readTokenizer } from '../engine/tokenizer.ts';

/**
 * Check architecture, every parameter's place and shape, and the tokenizer; of adapters, those of
 * their base.
 * @throws AnnealError InvalidModel
 */
export async function checkModelFolder(folder: string): Promise<PolicyFolder> {
  const policy = await openPolicyFolder(folder);
  await locateParameters(policy.base, policy.config);
  await readTokenizer(policy.base);
  return policy;
}
