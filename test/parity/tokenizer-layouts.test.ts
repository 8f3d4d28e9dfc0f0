// Tokenizers of every layout that code models have, against the fixtures of
// make_tokenizer_layouts.py: the ids of a text, its text again, and for every cut of a text in two
// what the second part adds to the first.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CompletionStream } from '../../src/engine/text/completion-text.ts';
import { readTokenizer } from '../../src/engine/text/tokenizer.ts';

interface Expected {
  special: Record<string, string>;
  /** `after[cut]` is what the ids from `cut` on add to the text of those before. */
  texts: { text: string; ids: number[]; decoded: string; after: string[] }[];
}

const layouts = fileURLToPath(new URL('./fixtures/tokenizer-layouts', import.meta.url));

describe.each(readdirSync(layouts))('%s', async (name) => {
  const folder = join(layouts, name);
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Expected;
  const tokenizer = await readTokenizer(folder);

  it('names its special tokens', () => {
    expect(tokenizer.specialTokens).toEqual(expected.special);
  });

  it.each(expected.texts)('encodes and decodes $text', async ({ text, ids, decoded }) => {
    expect(await tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(decoded);
  });

  it.each(expected.texts)('knows what a completion adds: $text', ({ ids, after }) => {
    for (const [cut, text] of after.entries())
      expect(tokenizer.decodeCompletion(ids.slice(0, cut), ids.slice(cut))).toBe(text);
  });

  it.each(expected.texts)('streams a completion: $text', ({ ids, after }) => {
    for (const [cut, text] of after.entries()) {
      const stream = new CompletionStream(tokenizer.decode, ids.slice(0, cut));
      const parts = ids.slice(cut).map((id) => stream.push(id));
      const open = parts.at(-1)!.settled ? '' : parts.at(-1)!.text;
      const settled = parts.filter((part) => part.settled).map((part) => part.text);
      expect(settled.join('') + open).toBe(text);
    }
  });
});
