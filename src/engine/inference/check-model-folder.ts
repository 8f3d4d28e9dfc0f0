// Checks that a folder holds a policy to sample from and train, without reading weights.

import type { PromptFormat } from '../../config/schema/model.ts';
import { locateAdapters } from '../files/adapter-folder.ts';
import { openPolicyFolder, type PolicyFolder } from '../files/policy-folder.ts';
import { type LocatedTensors, locateTensors } from '../files/weights.ts';
import { createPromptEncoder } from '../text/prompt-format.ts';
import { readTokenizer } from '../text/tokenizer.ts';

/** A policy's folder, and the places of its base's tensors in their files. */
export type CheckedFolder = PolicyFolder & LocatedTensors;

/**
 * Check the architecture, every parameter's place and shape, and the tokenizer; for adapters, those
 * of their base. With a prompt format, check that a prompt can be written in it.
 * @throws AnnealError InvalidModel
 */
export async function checkModelFolder(
  folder: string,
  promptFormat?: PromptFormat,
): Promise<CheckedFolder> {
  const policy = await openPolicyFolder(folder);
  const tensors = await locateTensors(policy.base, policy.config);
  if (policy.lora) await locateAdapters(folder, policy.config, policy.lora);
  const tokenizer = await readTokenizer(policy.base);
  if (promptFormat) {
    const { vocabSize } = policy.config;
    await (await createPromptEncoder(tokenizer, promptFormat, vocabSize))(['a prompt']);
  }
  return { ...policy, ...tensors };
}
