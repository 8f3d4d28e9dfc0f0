import { expect, it } from 'vitest';
import { parseExactJson, toExactJson } from './exact-json.ts';

it.each([
  ['354224848179261915075', 354224848179261915075n],
  ['-9007199254740993', -9007199254740993n],
  ['9007199254740991', 9007199254740991],
  ['[{"a":18446744073709551616}]', [{ a: 18446744073709551616n }]],
  ['"354224848179261915075"', '354224848179261915075'],
  ['0.12345678901234566', 0.12345678901234566],
  [
    '{"__proto__":10000000000000000}',
    JSON.parse('{"__proto__":0}', (_, it) => (it === 0 ? 10n ** 16n : it)),
  ],
])('reads and writes %s exactly', (text, value) => {
  expect(parseExactJson(text)).toEqual(value);
  expect(toExactJson(parseExactJson(text))).toBe(text);
});

it.each(['1e20', '100000000000000000000.0', '12345678901234567.5'])('%s is a double', (text) => {
  expect(parseExactJson(text)).toBe(Number(text));
  expect(parseExactJson(toExactJson(Number(text)))).toBe(Number(text));
});

it('refuses what JSON.parse refuses', () => {
  expect(() => parseExactJson('[00000000000000001]')).toThrow(SyntaxError);
});
