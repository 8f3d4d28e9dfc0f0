// A model folder's tokenizer, through Hugging Face's own JavaScript implementation.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { AnnealError } from '../errors.ts';

export interface Tokenizer {
  /** Number of token ids, added tokens included. */
  readonly vocabSize: number;
  /** Token ids of a text; no special tokens are added. */
  encode(text: string): number[];
  /** The text of token ids, special tokens left out. */
  decode(ids: number[]): string;
}

/** Read tokenizer.json and tokenizer_config.json. @throws AnnealError InvalidModel */
export async function readTokenizer(folder: string): Promise<Tokenizer> {
  const [tokenizer, config] = await Promise.all([
    readJson(join(folder, 'tokenizer.json')),
    readJson(join(folder, 'tokenizer_config.json')),
  ]);
  const inner = build(folder, tokenizer, config);
  return {
    vocabSize: inner.get_vocab(true).size,
    encode: (text) => inner.encode(text, { add_special_tokens: false }).ids,
    decode: (ids) =>
      inner.decode(ids, { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
  };
}

function build(folder: string, tokenizer: object, config: object): HuggingFaceTokenizer {
  try {
    return new HuggingFaceTokenizer(tokenizer, config);
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new AnnealError('InvalidModel', `${folder}/tokenizer.json cannot be used: ${reason}`, {
      cause,
    });
  }
}

async function readJson(file: string): Promise<object> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as object;
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new AnnealError('InvalidModel', `expected a tokenizer in ${file}: ${reason}`, { cause });
  }
}
