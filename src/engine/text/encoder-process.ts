// The process that encodes texts: a tokenizer's patterns are a stranger's, and the library ends the
// process in which one of them needs too many steps. encoder.ts starts it.

import type { Tokenizer } from 'tokenizers';
import { LruMap } from '../../collections/lru-map.ts';
import { serve } from '../../process/serve.ts';
import type { AddedToken } from './added-tokens.ts';
import { loadTokenizer } from './load-tokenizer.ts';

export interface EncoderMethods {
  /** The ids of each text; null if the tokenizer has to be sent, once or again. */
  encode: {
    payload: { key: string; tokenizer?: SentTokenizer; texts: string[] };
    result: number[][] | null;
    progress: never;
  };
}

export interface SentTokenizer {
  /** The text of tokenizer.json. */
  json: string;
  added: readonly AddedToken[];
}

const tokenizers = new LruMap<string, Tokenizer>(3);

serve<EncoderMethods>({
  encode: async ({ key, tokenizer, texts }) => {
    if (tokenizer) tokenizers.set(key, loadTokenizer(tokenizer.json, tokenizer.added));
    const inner = tokenizers.get(key);
    if (!inner) return null;
    const rows: number[][] = [];
    for (const text of texts)
      rows.push((await inner.encode(text, null, { addSpecialTokens: false })).getIds());
    return rows;
  },
});
