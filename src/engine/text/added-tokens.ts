// The tokens that a folder declares besides those of tokenizer.json, as transformers finds them when
// it loads a tokenizer: in tokenizer_config.json (`added_tokens_decoder`, `bos_token` and the like,
// `additional_special_tokens`), or else in special_tokens_map.json and added_tokens.json.

import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';

export const specialTokenNames = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const;
type SpecialTokenName = (typeof specialTokenNames)[number];

/** Special tokens by name, each as written in a text. */
export type SpecialTokens = { readonly [name in SpecialTokenName]?: string };

/** A token with all its properties; their names are those of the files. */
export interface AddedToken {
  content: string;
  single_word: boolean;
  lstrip: boolean;
  rstrip: boolean;
  normalized: boolean;
  special: boolean;
}

const flag = z.boolean().default(false);
/** Properties that a file leaves out are those of tokenizers' AddedToken. */
const tokenObject = z
  .looseObject({
    content: z.string(),
    single_word: flag,
    lstrip: flag,
    rstrip: flag,
    normalized: z.boolean().optional(),
    special: flag,
  })
  .transform(({ content, single_word, lstrip, rstrip, normalized, special }): AddedToken => {
    return { content, single_word, lstrip, rstrip, normalized: normalized ?? !special, special };
  });
/** A token as a text, or as an object with the text as `content`. */
const tokenSchema = z.union([z.string().transform(specialToken), tokenObject]);
const named = Object.fromEntries(
  specialTokenNames.map((name) => [name, tokenSchema.nullish()]),
) as Record<SpecialTokenName, z.ZodOptional<z.ZodNullable<typeof tokenSchema>>>;
const moreTokens = z
  .union([z.array(tokenSchema), z.record(z.string(), tokenSchema)])
  .nullish()
  .transform((tokens) => Object.values(tokens ?? {}));

/** The part of tokenizer.json that is read here. */
export const addedTokensSchema = z.looseObject({ added_tokens: z.array(tokenObject).default([]) });
export const specialTokensMapSchema = z.looseObject({
  ...named,
  additional_special_tokens: moreTokens,
  extra_special_tokens: moreTokens,
});
export const tokenizerConfigSchema = specialTokensMapSchema.extend({
  added_tokens_decoder: z.record(z.string(), tokenObject).optional(),
});
/** added_tokens.json: ids by token. */
export const legacyTokensSchema = z.record(z.string(), z.number());

export interface TokenFiles {
  /** tokenizer.json */
  tokenizer: z.output<typeof addedTokensSchema>;
  /** tokenizer_config.json */
  config: z.output<typeof tokenizerConfigSchema>;
  /** special_tokens_map.json, null if there is none. */
  map: z.output<typeof specialTokensMapSchema> | null;
  /** added_tokens.json, null if there is none. */
  legacy: z.output<typeof legacyTokensSchema> | null;
}

interface DeclaredTokens {
  /** Special tokens by name. */
  special: SpecialTokens;
  /** Tokens to add to those of tokenizer.json, in this order. */
  added: AddedToken[];
}

/** What transformers 5 reads from the files (TokenizersBackend.from_pretrained). */
export function declaredTokens(files: TokenFiles): DeclaredTokens {
  const { tokenizer, config, legacy } = files;
  const { added_tokens_decoder: decoder } = config;
  // With a decoder in the settings, transformers does not read the files of its older versions.
  const map = decoder ? null : files.map;
  const named = specialTokenNames.flatMap((name) => {
    const token = map?.[name] ?? config[name];
    return token == null ? [] : [[name, token] as const];
  });
  const special = [
    ...named.map(([, token]) => token),
    ...[config, map].flatMap((file) => [
      ...(file?.additional_special_tokens ?? []),
      ...(file?.extra_special_tokens ?? []),
    ]),
  ];
  const declared = inOrderOfId(decoder ?? legacyTokens(legacy ?? {}, special));
  const known = tokenizer.added_tokens;
  const added = declared.filter((token) => !known.some((other) => isDeepStrictEqual(token, other)));
  const contents = new Set([...known, ...added].map(({ content }) => content));
  for (const token of special) {
    if (contents.has(token.content)) continue;
    contents.add(token.content);
    added.push({ ...token, special: true });
  }
  const texts = named.map(([name, { content }]) => [name, content]);
  return { special: Object.fromEntries(texts), added };
}

function specialToken(content: string): AddedToken {
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  return { content, ...plain, special: true };
}

function inOrderOfId(tokens: Readonly<Record<string, AddedToken>>): AddedToken[] {
  return Object.entries(tokens)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, token]) => token);
}

function legacyTokens(
  idOf: Readonly<Record<string, number>>,
  special: readonly AddedToken[],
): Record<string, AddedToken> {
  const specials = new Set(special.map(({ content }) => content));
  const entries = Object.entries(idOf).map(([content, id]) => {
    const isSpecial = specials.has(content);
    return [id, { ...specialToken(content), special: isSpecial, normalized: !isSpecial }];
  });
  return Object.fromEntries(entries);
}
