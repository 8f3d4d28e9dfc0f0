// A tokenizer of Hugging Face's library from its files.

import { AddedToken as LibraryToken, Tokenizer } from 'tokenizers';
import type { AddedToken } from './added-tokens.ts';

/** @throws Error if the library cannot read tokenizer.json */
export function loadTokenizer(json: string, added: readonly AddedToken[]): Tokenizer {
  const tokenizer = Tokenizer.fromString(json);
  tokenizer.addAddedTokens(
    added.map(
      ({ content, special, single_word, lstrip, rstrip, normalized }) =>
        new LibraryToken(content, special, {
          singleWord: single_word,
          leftStrip: lstrip,
          rightStrip: rstrip,
          normalized,
        }),
    ),
  );
  tokenizer.disableTruncation();
  tokenizer.disablePadding();
  return tokenizer;
}
