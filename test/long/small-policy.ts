// A policy whose epochs take almost no work.

import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomModel } from '../../bench/random-model.ts';

/** Write a model with random weights and the embedded policy's tokenizer. @returns its folder */
export async function smallPolicy(): Promise<string> {
  const folder = await randomModel({
    hidden_size: 16,
    intermediate_size: 32,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    num_key_value_heads: 1,
  });
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json'])
    await copyFile(join('models/policy', name), join(folder, name));
  return folder;
}
