import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readPrompts } from './prompts.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-prompts-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(...lines: string[]) {
  const path = join(folder, 'prompts.jsonl');
  await writeFile(path, lines.map((line) => `${line}\n`).join(''));
  return readPrompts(path);
}
const prompt = (id: string, changes: object = {}) =>
  JSON.stringify({
    id,
    prompt: '// Do it.',
    entry: 'doIt',
    tests: [{ args: [1], returns: null }],
    reference: 'const doIt = () => null;',
    ...changes,
  });

it('reads prompts in order, with defaults, skipping empty lines', async () => {
  const prompts = await read(prompt('b'), '', prompt('a'));
  expect(prompts.map(({ id }) => id)).toEqual(['b', 'a']);
  expect(prompts[0]).toMatchObject({
    language: 'javascript',
    tests: [{ args: [1], returns: null }],
  });
});

it.each(['javascript', 'typescript', 'python'])(
  'reads every form of tests for %s',
  async (language) => {
    const tests = [{ assert: 'assert(doIt(1))' }, { stdin: '1', stdout: '2' }];
    const whole = { language, entry: undefined, tests: tests.slice(1) };
    const prompts = await read(prompt('a', { language, tests }), prompt('b', whole));
    expect(prompts.map((it) => [it.entry, it.tests.length])).toEqual([
      ['doIt', 2],
      ['', 1],
    ]);
  },
);

it('reads whole numbers of any size', async () => {
  const line = prompt('a', { language: 'python', tests: [{ args: ['N'], returns: ['N', 'M'] }] });
  const text = line.replaceAll('"N"', '354224848179261915075').replace('"M"', '1e20');
  expect((await read(text))[0]!.tests).toEqual([
    { args: [354224848179261915075n], returns: [354224848179261915075n, 1e20] },
  ]);
});

it.each(['javascript', 'typescript'])('refuses a number that %s rounds', async (language) => {
  const line = (digits: string) =>
    prompt('a', { language, tests: [{ args: [1], returns: { a: [2] } }] }).replace('[2]', digits);
  expect(await read(line('100000000000000000000'))).toHaveLength(1);
  await expect(read(line('354224848179261915075'))).rejects.toMatchObject({
    kind: 'InvalidData',
    message: expect.stringMatching(
      /line 1: tests\.0: .*found 354224848179261915075, which it rounds to 354224848179261931520/,
    ),
  });
});

it.each([
  [
    'a line that is cut off',
    [prompt('a'), prompt('b').slice(0, 40)],
    /prompts\.jsonl, line 2: expected one JSON object/,
  ],
  ['a line that is a number', [prompt('a'), '', '7'], /line 3: the row: .*expected object/],
  ['a missing field', [prompt('a', { reference: undefined })], /line 1: reference: /],
  ['an unknown field', [prompt('a', { tets: 1 })], /line 1: .*tets/],
  ['a prompt without tests', [prompt('a', { tests: [] })], /line 1: tests: /],
  ['an entry that is no name', [prompt('a', { entry: 'a b' })], /line 1: entry: /],
  [
    'a call without an entry',
    [prompt('a', { entry: undefined })],
    /line 1: entry: expected the name/,
  ],
  [
    'a test of no form',
    [prompt('a', { tests: [{ stdin: '' }] })],
    /line 1: tests.0: expected \{args/,
  ],
  [
    'an id used twice',
    [prompt('a'), prompt('b'), prompt('a')],
    /line 3: id 'a' is also used on line 1/,
  ],
  ['an empty file', [], /expected one JSON object per line, found none/],
])('refuses %s, by line', async (_, lines, message) => {
  const error = await read(...lines).catch((thrown) => thrown);
  expect(error).toMatchObject({ kind: 'InvalidData', message: expect.stringMatching(message) });
});

it('refuses a missing file', async () => {
  await expect(readPrompts(join(folder, 'none.jsonl'))).rejects.toMatchObject({
    kind: 'InvalidData',
    message: expect.stringContaining('none.jsonl: expected a readable file'),
  });
});
