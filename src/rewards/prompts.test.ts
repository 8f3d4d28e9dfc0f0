import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readPrompts } from './prompts.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-prompts-'));
});
afterAll(() => rm(folder, { recursive: true }));

const path = () => join(folder, 'prompts.jsonl');
async function read(...lines: string[]) {
  await writeFile(path(), lines.map((line) => `${line}\n`).join(''));
  return readPrompts(path());
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

it.each([
  ['a byte order mark', (text: string) => `\ufeff${text}`],
  ['Windows line ends', (text: string) => text.replaceAll('\n', '\r\n')],
  ['an array', (text: string) => `[${text.trim().replaceAll('\n', ',\n')}]`],
  ['an indented array', (text: string) => indented(text)],
  ['gzip', (text: string) => gzipSync(text)],
])('reads a file with %s', async (_, pack) => {
  const text = [prompt('a'), prompt('b', { reference: 'é' })].map((it) => `${it}\n`).join('');
  await writeFile(path(), pack(text));
  const ids = (await readPrompts(path())).map(({ id, reference }) => [id, reference.length]);
  expect(ids).toEqual([
    ['a', 24],
    ['b', 1],
  ]);
});

function indented(text: string): string {
  const rows = text.trim().split('\n');
  return JSON.stringify(
    rows.map((row) => JSON.parse(row)),
    null,
    2,
  );
}

it('names rows of an array by their lines', async () => {
  const text = indented([prompt('a'), prompt('b', { tests: [] }), prompt('a')].join('\n'));
  const line = (words: string, from = 0) =>
    text.slice(0, text.indexOf(words, from)).split('\n').length;
  await writeFile(path(), text);
  const second = line('"b"') - 1;
  await expect(readPrompts(path())).rejects.toThrow(`line ${second}: tests: `);
  await writeFile(path(), text.replace('"tests": []', '"tests": [NaN]'));
  const place = line('"tests": []');
  await expect(readPrompts(path())).rejects.toThrow(`line ${place}: found NaN`);
  await writeFile(path(), text.slice(0, -1));
  await expect(readPrompts(path())).rejects.toThrow('line 1: the array that begins here');
});

it.each([
  ['UTF-16', Buffer.from(`\ufeff${prompt('a')}`, 'utf16le'), /prompts\.jsonl: .*found UTF-16/],
  [
    'Latin-1',
    Buffer.concat([
      Buffer.from(`${prompt('a')}\n${prompt('\ufffd')}\n`),
      Buffer.from(`${prompt('é')}\n`, 'latin1'),
    ]),
    /prompts\.jsonl, line 3: expected UTF-8/,
  ],
  ['a packed file that is cut off', gzipSync(prompt('a')).subarray(0, 40), /a readable file/],
])('refuses %s', async (_, bytes, message) => {
  await writeFile(path(), bytes);
  await expect(readPrompts(path())).rejects.toThrow(message);
});

it('names every bad row, and everything that a row lacks', async () => {
  const lacking = prompt('b', { prompt: undefined, tests: undefined });
  const error = await read(prompt('a'), lacking, '{', prompt('c', { typo: 1 })).catch((it) => it);
  expect(error.message.split('\n')).toEqual([
    expect.stringMatching(/line 2: prompt: .*; tests: /),
    expect.stringMatching(/line 3: column 2: ends before/),
    expect.stringMatching(/line 4: .*typo/),
  ]);
  const other = await read(prompt('a'), ...Array(9).fill('7'), '8').catch((it) => it);
  expect(other.message).toMatch(/prompts\.jsonl, lines 2 to 11: the row: .*expected object[^\n]*$/);
  const many = Array.from({ length: 30 }, (_, i) => (i % 2 ? '7' : '{'));
  const { message } = await read(...many).catch((it) => it);
  expect(message.split('\n')).toHaveLength(21);
  expect(message).toMatch(/and 10 more rows$/);
});

it('reads tests as deep as it accepts them', async () => {
  const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
  const row = (levels: number) => prompt('a').replace('[1]', `[${deep(levels)}]`);
  expect(await read(row(195))).toHaveLength(1);
  await expect(read(row(200))).rejects.toThrow(/line 1: column \d+: nested more than 200 levels/);
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
    /prompts\.jsonl, line 2: column \d+: the text that begins here is not closed/,
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
