// The embedded policy's tokenizer, and the errors for a damaged folder.
// test/parity/tokenizers.test.ts compares with Python's tokenizers.

import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
