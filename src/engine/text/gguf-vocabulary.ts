// A model folder's tokenizer as GGUF metadata.

import { join } from 'node:path';
import { z } from 'zod';
import { AnnealError } from '../../errors.ts';
import type { Metadata } from '../files/gguf/container.ts';
import { preTokenizerName } from '../files/gguf/pre-tokenizer.ts';
import { parseJsonAs } from '../files/json.ts';
import { readModelText } from '../files/model-files.ts';
import { readTokenizer, type Tokenizer } from './tokenizer.ts';

const stepSchema = z.looseObject({ type: z.string() });
const fileSchema = z.looseObject({
  normalizer: stepSchema.nullish(),
  pre_tokenizer: stepSchema.nullish(),
  post_processor: stepSchema.nullish(),
  model: z.looseObject({
    type: z.string().optional(),
    vocab: z.record(z.string(), z.int().min(0)),
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
    byte_fallback: z.boolean().nullish(),
    unk_token: z.string().nullish(),
  }),
});
type TokenizerFile = z.output<typeof fileSchema>;

/** `llama_token_type`. */
const tokenTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 };
type TokenType = (typeof tokenTypes)[keyof typeof tokenTypes];

/**
 * The metadata of a folder's tokenizer for a model with `vocabSize` embeddings; embeddings without a
 * token get an unused one.
 * @param eosTokenIds the tokens that end a completion
 * @throws AnnealError InvalidModel for a tokenizer that llama.cpp cannot run as it is
 */
export async function vocabularyOf(
  folder: string,
  vocabSize: number,
  eosTokenIds: readonly number[],
): Promise<Metadata> {
  const path = join(folder, 'tokenizer.json');
  const text = await readModelText(path);
  const refuse = (found: string, expected: string) =>
    new AnnealError(
      'InvalidModel',
      `${path}: found ${found}; GGUF needs ${expected}, because llama.cpp has no other tokenizers`,
    );
  if (text === null) throw refuse('no such file', 'a tokenizer');
  const file = parseJsonAs(path, text, fileSchema);
  if ((file.model.type ?? 'BPE') !== 'BPE') throw refuse(`a ${file.model.type} model`, 'BPE');
  const tokenizer = await readTokenizer(folder);
  const tokens = tokensOf(file, tokenizer, vocabSize);
  const isSentencePiece = file.model.byte_fallback === true;
  return [
    ...(isSentencePiece ? sentencePiece(file, tokens.texts) : byteLevel(file, refuse)),
    ['tokenizer.ggml.tokens', { type: 'strings', value: tokens.texts }],
    ['tokenizer.ggml.token_type', { type: 'i32s', value: tokens.types }],
    ...specialTokens(tokenizer, eosTokenIds),
    ['tokenizer.ggml.add_bos_token', { type: 'bool', value: addsFirstToken(file) }],
  ];
}

function tokensOf({ model }: TokenizerFile, tokenizer: Tokenizer, vocabSize: number) {
  const { addedTokens } = tokenizer;
  const isSpecial = new Set(addedTokens.flatMap((it) => (it.special ? [it.content] : [])));
  const isAdded = new Set(addedTokens.map(({ content }) => content));
  const typeOf = (text: string): TokenType => {
    if (text === model.unk_token) return tokenTypes.unknown;
    if (isSpecial.has(text)) return tokenTypes.control;
    if (isAdded.has(text)) return tokenTypes.userDefined;
    return model.byte_fallback && /^<0x[\dA-F]{2}>$/.test(text)
      ? tokenTypes.byte
      : tokenTypes.normal;
  };
  const ids = Array.from({ length: vocabSize }, (_, id) => tokenizer.tokenOf(id));
  return {
    texts: ids.map((text, id) => text ?? `[PAD${id}]`),
    types: ids.map((text) => (text === undefined ? tokenTypes.unused : typeOf(text))),
  };
}

/** GPT-2's way: bytes as letters, texts split by a pattern, merges by rank. */
function byteLevel(
  { model, normalizer, pre_tokenizer }: TokenizerFile,
  refuse: (found: string, expected: string) => AnnealError,
): Metadata {
  // llama.cpp does not normalise. NFC changes texts that are not composed, which are rare.
  if (normalizer && normalizer.type !== 'NFC')
    throw refuse(`the normalizer ${normalizer.type}`, 'none, or NFC');
  const name = preTokenizerName(pre_tokenizer);
  if (name === null)
    throw refuse('a pre_tokenizer that none of its own splits like', 'one of a known family');
  const merges = model.merges.map((it) => (typeof it === 'string' ? it : it.join(' ')));
  return [
    ['tokenizer.ggml.model', { type: 'string', value: 'gpt2' }],
    ['tokenizer.ggml.pre', { type: 'string', value: name }],
    ['tokenizer.ggml.merges', { type: 'strings', value: merges }],
  ];
}

/** SentencePiece's way: pieces are joined in the order of their scores, here the merges' ranks. */
function sentencePiece({ model, ...file }: TokenizerFile, texts: readonly string[]): Metadata {
  const rankOf = new Map<string, number>();
  for (const [rank, merge] of model.merges.entries()) {
    const piece = (typeof merge === 'string' ? merge.split(' ') : merge).join('');
    if (!rankOf.has(piece)) rankOf.set(piece, rank);
  }
  const scores = texts.map((text) => -(rankOf.get(text) ?? model.merges.length));
  const isPrepended = /"type":"Prepend"|"prepend_scheme":"(?:always|first)"/.test(
    JSON.stringify([file.normalizer, file.pre_tokenizer]),
  );
  return [
    ['tokenizer.ggml.model', { type: 'string', value: 'llama' }],
    ['tokenizer.ggml.pre', { type: 'string', value: 'default' }],
    ['tokenizer.ggml.scores', { type: 'f32s', value: scores }],
    ['tokenizer.ggml.add_space_prefix', { type: 'bool', value: isPrepended }],
  ];
}

function specialTokens(tokenizer: Tokenizer, eosTokenIds: readonly number[]): Metadata {
  const { bos_token, eos_token, unk_token, pad_token } = tokenizer.specialTokens;
  const idOf = (token: string | undefined) =>
    token === undefined ? undefined : tokenizer.idOf(token);
  const eos = idOf(eos_token);
  const ids = {
    bos: idOf(bos_token),
    eos: eosTokenIds.includes(eos ?? -1) ? eos : (eosTokenIds[0] ?? eos),
    unknown: idOf(unk_token),
    padding: idOf(pad_token),
  };
  return Object.entries(ids).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [[`tokenizer.ggml.${name}_token_id`, { type: 'u32', value }] as const],
  );
}

/** Whether texts are encoded with a first token, which only a template can add. */
function addsFirstToken({ post_processor }: TokenizerFile): boolean {
  const steps = [post_processor ?? {}, ...((post_processor?.processors as object[]) ?? [])];
  return steps.some((step) => {
    const { single } = step as { single?: object[] };
    return single?.[0] !== undefined && 'SpecialToken' in single[0];
  });
}
