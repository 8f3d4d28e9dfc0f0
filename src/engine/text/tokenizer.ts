// A model folder's tokenizer, run by Hugging Face's JavaScript implementation.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { AnnealError } from '../../errors.ts';
import { checkJson, parseJson } from '../files/json.ts';

export interface Tokenizer {
  /** The model folder it was read from. */
  readonly folder: string;
  /** Number of token ids, including added tokens. */
  readonly vocabSize: number;
  /** The special tokens that the folder declares, such as `eos_token`. */
  readonly specialTokens: SpecialTokens;
  /** Token ids of a text. Special tokens in the text are recognised; none are added. */
  encode(text: string): number[];
  /** The text of token ids, without special tokens. */
  decode(ids: number[]): string;
  /** The id of a token, or undefined if there is no such token. */
  idOf(token: string): number | undefined;
}

/** Special tokens by name, each as written in a text. */
export type SpecialTokens = { readonly [name in SpecialTokenName]?: string };

const specialTokenNames = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const;
type SpecialTokenName = (typeof specialTokenNames)[number];

/** Read tokenizer.json and tokenizer_config.json. @throws AnnealError InvalidModel */
export async function readTokenizer(folder: string): Promise<Tokenizer> {
  const [tokenizer, config] = await Promise.all([
    readJson(join(folder, 'tokenizer.json')),
    readTokenizerConfig(folder),
  ]);
  const inner = build(folder, tokenizer, config);
  return {
    folder,
    vocabSize: inner.get_vocab(true).size,
    specialTokens: specialTokensOf(config),
    encode: (text) => inner.encode(text, { add_special_tokens: false }).ids,
    decode: (ids) =>
      ids.length === 0
        ? ''
        : inner.decode(ids, { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
    idOf: (token) => inner.token_to_id(token),
  };
}

/** A special token as a text, or as an object with the text as `content`. */
const tokenSchema = z
  .union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)])
  .nullish();

const configSchema = z.looseObject({
  ...(Object.fromEntries(specialTokenNames.map((name) => [name, tokenSchema])) as Record<
    SpecialTokenName,
    typeof tokenSchema
  >),
});
type TokenizerConfig = z.output<typeof configSchema>;

/** tokenizer_config.json, its special tokens checked. @throws AnnealError InvalidModel */
export async function readTokenizerConfig(folder: string): Promise<TokenizerConfig> {
  const file = join(folder, 'tokenizer_config.json');
  return checkJson(file, await readJson(file), configSchema);
}

function specialTokensOf(config: TokenizerConfig): SpecialTokens {
  const named = specialTokenNames.map((name) => [name, config[name]] as const);
  return Object.fromEntries(named.filter(([, token]) => token != null));
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
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new AnnealError('InvalidModel', `expected a tokenizer in ${file}: ${cause.message}`, {
      cause,
    });
  });
  return parseJson(file, text) as object;
}
