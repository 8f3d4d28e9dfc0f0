// The text of completions over decoders with the ways of real ones. Real tokenizers are in
// test/parity/tokenizer-layouts.test.ts.

import { describe, expect, it } from 'vitest';
import { uniforms } from '../sampling/random.ts';
import { CompletionStream, completionText, StopSearch } from './completion-text.ts';

/** Bytes as tokens, as byte-level decoders read them. */
const bytes = (ids: readonly number[]) => Buffer.from(ids).toString();
/** The same, without the first space, as SentencePiece's decoders read them. */
const stripped = (ids: readonly number[]) => bytes(ids).replace(/^ /, '');

const split = (text: string, cut: number) => {
  const all = [...Buffer.from(text)];
  return [all.slice(0, cut), all.slice(cut)] as const;
};

it('keeps the space that begins a completion', () => {
  const [prompt, completion] = split('a b', 1);
  expect(completionText(stripped, prompt, completion)).toBe(' b');
  expect(completionText(stripped, [], completion)).toBe('b');
});

it('gives a completion the character that it completes', () => {
  const [prompt, completion] = split('é😀!', 4);
  expect(completionText(bytes, prompt, completion)).toBe('😀!');
});

it('never begins with half a surrogate pair', () => {
  const halves = (ids: readonly number[]) => (ids.length < 2 ? '\u{1f600}' : '\u{1f601}');
  expect(completionText(halves, [1], [2])).toBe('\u{1f601}');
});

describe('a stream', () => {
  it.each([bytes, stripped])('gives the same text as the whole, for any cut', (decode) => {
    const random = uniforms('completion streams');
    const alphabet = [' ', 'a', 'é', '漢', '😀', '\n'];
    for (let round = 0; round < 200; round++) {
      const text = Array.from(
        { length: 12 },
        () => alphabet[Math.floor(random() * alphabet.length)],
      ).join('');
      const [prompt, completion] = split(text, Math.floor(random() * 12));
      const stream = new CompletionStream(decode, prompt);
      const parts = completion.map((id) => stream.push(id));
      const settled = parts.filter((part) => part.settled).map((part) => part.text);
      expect(settled.join('')).toBe(completionText(decode, prompt, completion));
    }
  });

  it('decodes a number of tokens that is linear in the length, whatever they are', () => {
    for (const token of [0x61, 0xff, 0xe3, 0x80]) {
      let decoded = 0;
      const stream = new CompletionStream((ids) => {
        decoded += ids.length;
        return bytes(ids);
      }, []);
      for (let i = 0; i < 10_000; i++) stream.push(token);
      expect(decoded).toBeLessThan(100 * 10_000);
    }
  });
});

describe('a search for stop strings', () => {
  const ends = (prompt: string, completion: string, stops: string[]) => {
    const search = new StopSearch(new CompletionStream(bytes, [...Buffer.from(prompt)]), stops);
    return [...Buffer.from(completion)].findIndex((id) => search.push(id));
  };

  it('ends at the token that completes one', () => {
    expect(ends('', 'ab;\n\nc', ['\n\n', '#'])).toBe(4);
    expect(ends('', 'ab#\n\nc', ['\n\n', '#'])).toBe(2);
    expect(ends('', '漢漢。x', ['漢。'])).toBe(8);
  });

  it('does not take what the prompt ends with', () => {
    expect(ends('\n', '\na\n\n', ['\n\n'])).toBe(3);
  });

  it('finds none if there is none', () => {
    expect(ends('', 'abcabd', ['abx', 'bda'])).toBe(-1);
  });
});
