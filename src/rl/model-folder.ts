// Whether a folder holds a model that can be sampled from and trained, without reading weights.

import { type DecoderConfig, readModelConfig } from '../engine/model/config.ts';
import { locateParameters } from '../engine/model/weights.ts';
import { readTokenizer } from '../engine/tokenizer.ts';

/**
 * Check architecture, every parameter's place and shape, and the tokenizer.
 * @throws AnnealError InvalidModel
 */
export async function checkModelFolder(folder: string): Promise<DecoderConfig> {
  const config = await readModelConfig(folder);
  await locateParameters(folder, config);
  await readTokenizer(folder);
  return config;
}
