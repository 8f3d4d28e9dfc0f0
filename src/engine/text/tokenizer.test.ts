// The embedded policy's tokenizer, and the errors for a damaged folder.
// test/parity/tokenizers.test.ts compares with Python's tokenizers.

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { resolveInput } from '../../config/paths.ts';
import { readTokenizer } from './tokenizer.ts';

const policy = resolveInput('models/policy', 'model.path');
const tokenizer = await readTokenizer(policy);

it.each([
  ['tabs', 'function f(a) {\n\tif (a) {\n\t\treturn a\t+ 1;\n\t}\n}\n'],
  ['CRLF', 'const a = 1;\r\n\r\nconst b = 2;\r\n'],
  ['line ends of all kinds', 'a\rb\n\rc\r\n\nd\u2028e\u2029f\u0085g'],
  ['spaces at both ends', '   \t x = 1;   \n  '],
  ['nothing but spaces', '    '],
  ['emoji', '"\u{1f600} \u{1f468}\u200d\u{1f469}\u200d\u{1f467} \u{1f3f3}\ufe0f\u200d\u{1f308}"'],
  ['combining marks', 'cafe\u0301 caf\u00e9 q\u0307\u0323 \u1112\u1161\u11ab'],
  ['CJK', '// \u6f22\u5b57\u3068\u304b\u306a\u3002\ud55c\uae00'],
  ['a byte order mark', '\ufeffconst a = 1;'],
  ['control characters', '\u0000\u0001\u001b[0m\u007f\u009f'],
  ['nothing', ''],
])('%s come back as they went in', async (_, text) => {
  expect(tokenizer.decode(await tokenizer.encode(text))).toBe(text);
});

it('special tokens in a text are single ids and are left out when decoding', async () => {
  const ids = await tokenizer.encode('a<|im_end|>b');
  expect(ids).toContain(tokenizer.idOf('<|im_end|>'));
  expect(tokenizer.decode(ids)).toBe('ab');
  expect(tokenizer.decode([1023, 1022])).toBe('');
});

it('reads the special tokens that the folder declares', () => {
  expect(tokenizer.specialTokens).toEqual({
    eos_token: '<|im_end|>',
    pad_token: '<|endoftext|>',
  });
  expect(tokenizer.idOf('<|im_start|>')).toBeUndefined();
});

describe('a folder', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'anneal-tokenizer-'));
    await cp(join(policy, 'tokenizer.json'), join(folder, 'tokenizer.json'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('may declare special tokens as objects', async () => {
    const config = { bos_token: { __type: 'AddedToken', content: '<|im_end|>', lstrip: false } };
    await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
    expect((await readTokenizer(folder)).specialTokens).toEqual({ bos_token: '<|im_end|>' });
  });

  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['a number for a token', '{"bos_token": 3}'],
    ['a token without content', '{"eos_token": {"id": 3}}'],
  ])('with a damaged tokenizer_config.json is refused: %s', async (_, content) => {
    await writeFile(join(folder, 'tokenizer_config.json'), content);
    await expect(readTokenizer(folder)).rejects.toMatchObject({
      kind: 'InvalidModel',
      message: expect.stringContaining(join(folder, 'tokenizer_config.json')),
    });
  });

  it('without a tokenizer is refused', async () => {
    await expect(readTokenizer(join(folder, 'no'))).rejects.toMatchObject({
      kind: 'InvalidModel',
      message: expect.stringContaining('expected a tokenizer in'),
    });
  });
});

describe('a tokenizer of a stranger', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'anneal-stranger-'));
    await writeFile(join(folder, 'tokenizer_config.json'), '{}');
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** The embedded policy's tokenizer with other parts. */
  async function read(changes: object) {
    const path = join(policy, 'tokenizer.json');
    const json = JSON.parse(await readFile(path, 'utf8'));
    const model = { ...json.model, ...('model' in changes ? (changes.model as object) : {}) };
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify({ ...json, ...changes, model }));
    return readTokenizer(folder);
  }
  const refused = (message: RegExp) => ({
    kind: 'InvalidModel',
    message: expect.stringMatching(message),
  });
  const replace = (pattern: object, content: string) => ({ type: 'Replace', pattern, content });
  const inTurn = (...normalizers: object[]) => ({ type: 'Sequence', normalizers });

  it('may have a pattern that needs too many steps: only its own process ends', async () => {
    const pattern = { Regex: '^(a+)+$' };
    const split = { type: 'Split', pattern, behavior: 'Isolated', invert: false };
    const slow = await read({ pre_tokenizer: split });
    await expect(slow.encode(`${'a'.repeat(40)}b`)).rejects.toMatchObject(
      refused(/tokenizer\.json: expected a tokenizer .* that fails on a text: Onig: .*retry-limit/),
    );
    expect(tokenizer.decode(await tokenizer.encode('a b'))).toBe('a b');
    expect(slow.decode(await slow.encode('ab'))).toBe('ab');
  });

  it('that ends the process takes no other text with it', async () => {
    const pattern = { Regex: '^(a+)+$' };
    const split = { type: 'Split', pattern, behavior: 'Isolated', invert: false };
    const slow = await read({ pre_tokenizer: split });
    const bad = `${'a'.repeat(40)}b`;
    const all = [slow.encode(bad), tokenizer.encode('a'), slow.encode(bad), tokenizer.encode('a')];
    const results = await Promise.allSettled(all);
    expect(results.map(({ status }) => status)).toEqual([
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
  });

  it.each([
    ['a normalizer', { normalizer: inTurn(...new Array(9).fill(replace({ String: 'a' }, 'aa'))) }],
    ['between characters', { normalizer: replace({ Regex: 'x*' }, 'x'.repeat(256)) }],
    ['a prefix', { normalizer: inTurn({ type: 'Prepend', prepend: 'x'.repeat(257) }) }],
    ['a decoder', { decoder: replace({ String: 'a' }, 'a'.repeat(257)) }],
  ])('is refused if it could make a text many times longer: %s', async (_, changes) => {
    await expect(read(changes)).rejects.toMatchObject(
      refused(/tokenizer\.json: expected a (normalizer|decoder) .* at most 256 times as long/),
    );
  });

  it('is refused with a decoder that searches by a pattern', async () => {
    await expect(read({ decoder: replace({ Regex: '(a+)+$' }, 'b') })).rejects.toMatchObject(
      refused(/tokenizer\.json: expected a decoder .*, found one with a Regex/),
    );
  });

  it('is refused without the values of its file', async () => {
    await expect(read({ model: { type: 'secret' } })).rejects.toMatchObject(
      refused(/tokenizer\.json: expected a tokenizer .* that cannot be read: (?!.*secret)/),
    );
  });

  it('draws the same merges at every call', async () => {
    const { encode } = await read({ model: { dropout: 0.9 } });
    const text = 'function total(values) { return values.length; }';
    expect(await encode(text)).toEqual(await tokenizer.encode(text));
  });

  it('adds no padding and cuts nothing off', async () => {
    const truncation = { max_length: 2, strategy: 'LongestFirst', stride: 0, direction: 'Right' };
    const padding = {
      strategy: { Fixed: 64 },
      direction: 'Right',
      pad_to_multiple_of: null,
      pad_id: 0,
      pad_type_id: 0,
      pad_token: '<|endoftext|>',
    };
    const { encode } = await read({ truncation, padding });
    expect(await encode('return a + b;')).toEqual(await tokenizer.encode('return a + b;'));
  });
});
