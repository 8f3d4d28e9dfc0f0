// Whether a folder holds a model that can be sampled from and trained, without reading weights.

import type { PromptFormat } from '../config/schema.ts';
import { type DecoderConfig, readModelConfig } from '../engine/model/config.ts';
import { locateParameters } from '../engine/model/weights.ts';
import { createPromptEncoder } from '../engine/prompt-format.ts';
import { readTokenizer } from '../engine/tokenizer.ts';

/**
 * Check architecture, every parameter's place and shape, and the tokenizer; where a prompt format
 * is given, that a prompt can be written in it.
 * @throws AnnealError InvalidModel
 */
export async function checkModelFolder(
  folder: string,
  promptFormat?: PromptFormat,
): Promise<DecoderConfig> {
  const config = await readModelConfig(folder);
  await locateParameters(folder, config);
  const tokenizer = await readTokenizer(folder);
  if (promptFormat) (await createPromptEncoder(tokenizer, promptFormat))('a prompt');
  return config;
}
