// The tokenizer: the algorithm on a text small enough to follow, and the committed files.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readTokenizer } from '../../src/engine/text/tokenizer.ts';
import { pretrainingCorpus } from './corpus.ts';
import { referenceOf } from './program.ts';
import { splitSeed, splitTasks } from './split.ts';
import { promptOf } from './tasks/task.ts';
import { endOfCompletion, endOfText, trainBpe } from './train-bpe.ts';

const folder = fileURLToPath(new URL('../../models/policy', import.meta.url));
const tokenizer = await readTokenizer(folder);

test('merges are chosen by frequency, then by order, and cross no split', () => {
  // Pieces: "low" twice, " low" once, "er" twice, " er" once; "lo" occurs thrice, "er" thrice.
  const { vocabulary, merges } = trainBpe(['low low', 'low', 'er er', 'er'], 300);
  expect(merges).toEqual([
    ['e', 'r'],
    ['l', 'o'],
    ['lo', 'w'],
  ]);
  expect(vocabulary.slice(256)).toEqual(['er', 'lo', 'low']);
});

test('training stops at the requested size', () => {
  expect(trainBpe(['low low', 'low'], 257).vocabulary).toHaveLength(257);
});

test.each([
  ['code', 'function f(a, b) {\n  return [`a`] + "b";\n}\n'],
  ['tabs and carriage returns', '\tif (x) {\r\n\t\treturn 1;\r\n\t}\r\n\r\n'],
  ['spaces at the ends', '  a   b  \n   '],
  ['Unicode', 'const größe = "日本語 🎉 e\u0301 \u00e9";'],
  ['contractions', "it's DON'T '''"],
])('%s comes back as it went in', async (_, text) => {
  expect(tokenizer.decode(await tokenizer.encode(text))).toBe(text);
});

test('the special tokens are single tokens after the vocabulary', async () => {
  expect(tokenizer.vocabSize).toBe(1024);
  expect(await tokenizer.encode(endOfText)).toEqual([1022]);
  expect((await tokenizer.encode(`}\n${endOfCompletion}`)).at(-1)).toBe(1023);
});

test('prompts and solutions are short', async () => {
  const { train, heldOut } = splitTasks(splitSeed);
  const longest = async (texts: string[]) =>
    Math.max(...(await Promise.all(texts.map(tokenizer.encode))).map(({ length }) => length));
  const tasks = [...train, ...heldOut];
  expect(await longest(tasks.map(promptOf))).toBeLessThanOrEqual(32);
  expect(await longest(tasks.map(referenceOf))).toBeLessThan(96);
});

test('the committed tokenizer is what training on the corpus gives', () => {
  const texts = pretrainingCorpus(1, 8000).map((it) => it.prompt + it.completion);
  const { model } = JSON.parse(readFileSync(`${folder}/tokenizer.json`, 'utf8'));
  const { vocabulary, merges } = trainBpe(texts, 1022);
  expect(model.merges).toEqual(merges);
  expect(Object.keys(model.vocab).sort()).toEqual([...vocabulary].sort());
});
