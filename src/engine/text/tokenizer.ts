// A model folder's tokenizer, run by Hugging Face's tokenizers, the library that transformers uses.

import { join } from 'node:path';
import type { z } from 'zod';
import { AnnealError } from '../../errors.ts';
import { checkJson, parseJson, parseJsonAs } from '../files/json.ts';
import { readModelText } from '../files/model-files.ts';
import {
  type AddedToken,
  addedTokensSchema,
  declaredTokens,
  legacyTokensSchema,
  type SpecialTokens,
  specialTokensMapSchema,
  type TokenFiles,
  tokenizerConfigSchema,
} from './added-tokens.ts';
import { CompletionStream, completionText, StopSearch } from './completion-text.ts';
import { createEncoder } from './encoder.ts';
import { loadTokenizer } from './load-tokenizer.ts';
import { checkRules } from './rules.ts';

export interface Tokenizer {
  /** The model folder it was read from. */
  readonly folder: string;
  /** Number of token ids, including added tokens. */
  readonly vocabSize: number;
  /** The special tokens that the folder declares, such as `eos_token`. */
  readonly specialTokens: SpecialTokens;
  /** The tokens that the folder declares besides the vocabulary, in any of its files. */
  readonly addedTokens: readonly AddedToken[];
  /** Token ids of a text. Special tokens in the text are recognised; none are added. */
  encode(text: string): Promise<number[]>;
  /** Token ids of each text. */
  encodeAll(texts: readonly string[]): Promise<number[][]>;
  /** The text of token ids, without special tokens. */
  decode(ids: readonly number[]): string;
  /**
   * The text that a completion adds to its prompt's: decode(prompt + completion) without
   * decode(prompt). A character that the prompt begins and the completion ends is the completion's.
   */
  decodeCompletion(prompt: readonly number[], completion: readonly number[]): string;
  /** Searches that text for stop strings, token by token. */
  stopSearch(prompt: readonly number[], stops: readonly string[]): StopSearch;
  /** The id of a token, or undefined if there is no such token. */
  idOf(token: string): number | undefined;
  /** The token of an id, or undefined if there is no such token. */
  tokenOf(id: number): string | undefined;
}

/**
 * Read tokenizer.json, tokenizer_config.json and, where transformers does, special_tokens_map.json
 * and added_tokens.json.
 * @throws AnnealError InvalidModel
 */
export async function readTokenizer(folder: string): Promise<Tokenizer> {
  const path = join(folder, 'tokenizer.json');
  const [text, config, map, legacy] = await Promise.all([
    readText(path),
    readTokenizerConfig(folder),
    readOptional(join(folder, 'special_tokens_map.json'), specialTokensMapSchema),
    readOptional(join(folder, 'added_tokens.json'), legacyTokensSchema),
  ]);
  const json = parseJson(path, text) as Record<string, unknown>;
  const tokenizer = checkJson(path, json, addedTokensSchema);
  return build(path, folder, json, { tokenizer, config, map, legacy });
}

/** tokenizer_config.json, its special tokens checked. @throws AnnealError InvalidModel */
export async function readTokenizerConfig(folder: string) {
  const file = join(folder, 'tokenizer_config.json');
  return parseJsonAs(file, await readText(file), tokenizerConfigSchema);
}

async function build(
  path: string,
  folder: string,
  json: Record<string, unknown>,
  files: TokenFiles,
): Promise<Tokenizer> {
  const { special, added } = declaredTokens(files);
  checkRules(path, json);
  const text = JSON.stringify(withoutDropout(json));
  const encodeAll = await createEncoder(path, { json: text, added });
  // What decoding needs: nothing that searches in a text.
  const parts = { normalizer: null, pre_tokenizer: null, post_processor: null };
  const inner = loadTokenizer(JSON.stringify({ ...withoutDropout(json), ...parts }), added);
  const declared = [...files.tokenizer.added_tokens, ...added];
  const skipped = new Set(declared.filter((token) => token.special).map(({ content }) => content));
  const decoder = inner.getDecoder();
  const decode = (ids: readonly number[]) => {
    const tokens = ids.map((id) => inner.idToToken(id));
    const shown = tokens.filter((token) => token !== null && !skipped.has(token)) as string[];
    return decoder ? decoder.decode(shown) : shown.join(' ');
  };
  return {
    folder,
    vocabSize: inner.getVocabSize(true),
    specialTokens: special,
    addedTokens: declared,
    encode: async (text) => (await encodeAll([text]))[0]!,
    encodeAll,
    decode,
    decodeCompletion: (prompt, completion) => completionText(decode, prompt, completion),
    stopSearch: (prompt, stops) => new StopSearch(new CompletionStream(decode, prompt), stops),
    idOf: (token) => inner.tokenToId(token) ?? undefined,
    tokenOf: (id) => inner.idToToken(id) ?? undefined,
  };
}

/** Dropout of merges, for training a model's first time, would draw other tokens at every call. */
function withoutDropout(json: Record<string, unknown>): Record<string, unknown> {
  const { model } = json as { model?: { dropout?: unknown } };
  return typeof model?.dropout === 'number'
    ? { ...json, model: { ...model, dropout: null } }
    : json;
}

async function readText(file: string): Promise<string> {
  const text = await readModelText(file);
  if (text !== null) return text;
  throw new AnnealError('InvalidModel', `expected a tokenizer in ${file}, found no such file`);
}

async function readOptional<T extends z.ZodType>(
  file: string,
  schema: T,
): Promise<z.output<T> | null> {
  const text = await readModelText(file);
  return text === null ? null : parseJsonAs(file, text, schema);
}
