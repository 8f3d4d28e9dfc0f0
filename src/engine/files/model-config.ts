// A model folder's config.json and stop tokens, as the description that graphs are built from.

import { join } from 'node:path';
import { AnnealError } from '../../errors.ts';
import { type DecoderConfig, describeDecoder } from '../model/config.ts';
import { configFileSchema } from '../model/config-file.ts';
import { parseJsonAs, readIfExists } from './json.ts';
import { readStopTokens } from './stop-tokens.ts';

/** @throws AnnealError InvalidModel if config.json is missing, malformed or not implemented */
export async function readModelConfig(folder: string): Promise<DecoderConfig> {
  const file = join(folder, 'config.json');
  const text = await readIfExists(file);
  if (text === null)
    throw new AnnealError(
      'InvalidModel',
      `expected a Hugging Face model folder, found no ${file}; give a folder with config.json, model.safetensors and tokenizer.json`,
    );
  const config = parseJsonAs(file, text, configFileSchema);
  const eosTokenIds = await readStopTokens(folder, config.eos_token_id);
  return { ...describeDecoder(config, file), eosTokenIds };
}
