// A model folder's config.json and stop tokens, as the description that graphs are built from. Where
// transformers lets the weights decide, so do they here.

import { join } from 'node:path';
import { AnnealError } from '../../errors.ts';
import { type DecoderConfig, describeDecoder } from '../model/config.ts';
import { configFileSchema } from '../model/config-file.ts';
import { scoreName } from '../model/parameters.ts';
import { parseJsonAs } from './json.ts';
import { readModelText } from './model-files.ts';
import { readStopTokens } from './stop-tokens.ts';
import { hasOwnHead, storedTensors } from './stored-tensors.ts';

/** @throws AnnealError InvalidModel if config.json is missing, malformed or not implemented */
export async function readModelConfig(folder: string): Promise<DecoderConfig> {
  const file = join(folder, 'config.json');
  const text = await readModelText(file);
  if (text === null)
    throw new AnnealError(
      'InvalidModel',
      `expected a Hugging Face model folder, found no ${file}; give a folder with config.json, model.safetensors and tokenizer.json`,
    );
  const config = parseJsonAs(file, text, configFileSchema);
  const eosTokenIds = await readStopTokens(folder, config.eos_token_id);
  const tensors = await storedTensors(folder);
  const head = tensors.has(scoreName) ? 'classifier' : 'language-model';
  const described = describeDecoder(config, file, head);
  const { labels, tiedEmbeddings: tied } = described;
  const untied = tied && labels === undefined && (await hasOwnHead(folder, tensors));
  if (!untied) return { ...described, eosTokenIds };
  const unusedKeys = [...described.unusedKeys, 'tie_word_embeddings'].sort();
  return { ...described, tiedEmbeddings: false, unusedKeys, eosTokenIds };
}
