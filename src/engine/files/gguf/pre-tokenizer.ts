// llama.cpp implements the splitting of texts of each tokenizer family by itself, under a name. The
// name follows from what tokenizer.json says, so that a file never splits texts in another way.
// Names: https://github.com/ggml-org/llama.cpp/blob/master/src/llama-vocab.cpp

import { isDeepStrictEqual } from 'node:util';

const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|";
const rest = '| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const split = (pattern: string) => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
});
const bytes = (useRegex: boolean) => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  use_regex: useRegex,
});
const digits = { type: 'Digits', individual_digits: true };

const deepseek = ['[\\r\\n]', '\\s?\\p{L}+', '\\s?\\p{P}+'].map(split);

/** The steps of a `pre_tokenizer`, and llama.cpp's name for it. */
const known: readonly (readonly [name: string, steps: readonly object[]])[] = [
  ['qwen2', [split(`${contractions}\\p{N}${rest}`), bytes(false)]],
  ['llama-bpe', [split(`${contractions}\\p{N}{1,3}${rest}`), bytes(false)]],
  ['smollm', [digits, bytes(true)]],
  ['gpt-2', [bytes(true)]],
  // Its step for Chinese, Japanese and Korean splits nothing that the one for letters leaves.
  ['deepseek-coder', [...deepseek, split('[一-龥ࠀ-一가-퟿]+'), digits, bytes(false)]],
  ['deepseek-coder', [...deepseek, digits, bytes(false)]],
];

/** llama.cpp's name of a byte-level `pre_tokenizer`; null if it has none that splits like it. */
export function preTokenizerName(preTokenizer: unknown): string | null {
  const steps = stepsOf(preTokenizer).map(essential);
  return known.find(([, expected]) => isDeepStrictEqual(steps, expected))?.[0] ?? null;
}

function stepsOf(preTokenizer: unknown): object[] {
  if (typeof preTokenizer !== 'object' || preTokenizer === null) return [];
  const { type, pretokenizers } = preTokenizer as { type?: string; pretokenizers?: object[] };
  return type === 'Sequence' ? (pretokenizers ?? []).flatMap(stepsOf) : [preTokenizer];
}

/** A step without what does not change the split: offsets, and defaults that are left out. */
function essential(step: object): object {
  const { trim_offsets: _, ...kept } = step as Record<string, unknown>;
  if (kept.type === 'ByteLevel') return { ...bytes(true), ...kept };
  return kept;
}
