// A model folder's tokenizer, run by Hugging Face's tokenizers, the library that transformers uses.

import { join } from 'node:path';
import { AddedToken, Tokenizer as HuggingFaceTokenizer } from 'tokenizers';
import type { z } from 'zod';
import { AnnealError } from '../../errors.ts';
import { checkJson, parseJson, parseJsonAs, readIfExists } from '../files/json.ts';
import {
  addedTokensSchema,
  declaredTokens,
  legacyTokensSchema,
  type SpecialTokens,
  specialTokensMapSchema,
  type TokenFiles,
  tokenizerConfigSchema,
} from './added-tokens.ts';
import { CompletionStream, completionText, StopSearch } from './completion-text.ts';

export interface Tokenizer {
  /** The model folder it was read from. */
  readonly folder: string;
  /** Number of token ids, including added tokens. */
  readonly vocabSize: number;
  /** The special tokens that the folder declares, such as `eos_token`. */
  readonly specialTokens: SpecialTokens;
  /** Token ids of a text. Special tokens in the text are recognised; none are added. */
  encode(text: string): Promise<number[]>;
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
  const json = parseJson(path, text);
  const tokenizer = checkJson(path, json, addedTokensSchema);
  return build(path, folder, withoutDropout(text, json), { tokenizer, config, map, legacy });
}

/** tokenizer_config.json, its special tokens checked. @throws AnnealError InvalidModel */
export async function readTokenizerConfig(folder: string) {
  const file = join(folder, 'tokenizer_config.json');
  return parseJsonAs(file, await readText(file), tokenizerConfigSchema);
}

function build(path: string, folder: string, text: string, files: TokenFiles): Tokenizer {
  const inner = load(path, text);
  const { special, added } = declaredTokens(files);
  inner.addAddedTokens(
    added.map(
      ({ content, special, single_word, lstrip, rstrip, normalized }) =>
        new AddedToken(content, special, {
          singleWord: single_word,
          leftStrip: lstrip,
          rightStrip: rstrip,
          normalized,
        }),
    ),
  );
  inner.disableTruncation();
  inner.disablePadding();
  const skipped = new Set(
    [...files.tokenizer.added_tokens, ...added]
      .filter((token) => token.special)
      .map(({ content }) => content),
  );
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
    encode: async (text) => {
      const encoding = await inner.encode(text.toWellFormed(), null, { addSpecialTokens: false });
      return encoding.getIds();
    },
    decode,
    decodeCompletion: (prompt, completion) => completionText(decode, prompt, completion),
    stopSearch: (prompt, stops) => new StopSearch(new CompletionStream(decode, prompt), stops),
    idOf: (token) => inner.tokenToId(token) ?? undefined,
    tokenOf: (id) => inner.idToToken(id) ?? undefined,
  };
}

function load(path: string, text: string): HuggingFaceTokenizer {
  try {
    return HuggingFaceTokenizer.fromString(text);
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new AnnealError(
      'InvalidModel',
      `${path}: expected a tokenizer as Hugging Face's tokenizers saves it; it cannot be read: ${reason}. Take the file from the model's own folder, or save it anew with transformers.`,
      { cause },
    );
  }
}

/** Dropout of merges, for training a model's first time, would draw other tokens at every call. */
function withoutDropout(text: string, json: unknown): string {
  const { model } = json as { model?: { dropout?: unknown } };
  if (typeof model?.dropout !== 'number') return text;
  return JSON.stringify({ ...(json as object), model: { ...model, dropout: null } });
}

async function readText(file: string): Promise<string> {
  const text = await readIfExists(file);
  if (text !== null) return text;
  throw new AnnealError('InvalidModel', `expected a tokenizer in ${file}, found no such file`);
}

async function readOptional<T extends z.ZodType>(
  file: string,
  schema: T,
): Promise<z.output<T> | null> {
  const text = await readIfExists(file);
  return text === null ? null : parseJsonAs(file, text, schema);
}
