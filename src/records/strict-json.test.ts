import { describe, expect, it } from 'vitest';
import { elementsOf, JsonFault, parseStrictJson } from './strict-json.ts';

const secret = 'hunter2';
function faultOf(text: string): JsonFault {
  try {
    parseStrictJson(text);
  } catch (error) {
    return error as JsonFault;
  }
  return expect.fail(`expected a fault in ${text}`);
}

describe('parseStrictJson', () => {
  it.each([
    '{"a": [1, -2.5e3, true, false, null, {"a": {}, "b": []}], "": "x"}',
    String.raw`{"quotes \" and \\": "a: {[,]} NaN // 'x' \\", "\u00e9": "\ud83d\ude00"}`,
    '[{"a": 1}, {"a": 2}]',
    '{"true": 1, "constructor": 2, "toString": {"hasOwnProperty": 3}}',
    '"text"',
    ' 7 ',
  ])('reads %s as JSON.parse does', (text) => {
    expect(parseStrictJson(text)).toEqual(JSON.parse(text));
  });

  it('reads whole numbers of any size', () => {
    expect(parseStrictJson('{"a": 354224848179261915075}')).toEqual({ a: 354224848179261915075n });
  });

  it.each([
    ['{"a": NaN}', 6, 'found NaN, which JSON does not have; write null or a text'],
    ['{"a": [1, -Infinity]}', 10, 'found -Infinity'],
    ['{"a": None}', 6, 'found None, which JSON does not have; write null'],
    ['{"a": True}', 6, 'write true'],
    ['{"a": undefined}', 6, 'write null'],
    ["{'a': 1}", 1, 'in single quotes'],
    ['{"a": 1} // one', 9, 'found a comment'],
    ['{"a": 1e999}', 6, 'a number that a double cannot hold'],
    ['{"a": -1.5E+400}', 6, 'a number that a double cannot hold'],
    ['{"a": 01}', 6, 'a word that it does not have'],
    [`{"a": ${secret}}`, 6, 'a word that it does not have'],
    ['{"a": 1, "b": {}, "a": 2}', 18, 'has this key before'],
    [String.raw`{"a": 1, "\u0061": 2}`, 9, 'has this key before'],
    ['{"a": {"__proto__": {"b": 1}}}', 7, "found '__proto__'"],
    [String.raw`{"\u005f_proto__": 1}`, 1, "found '__proto__'"],
    ['{"a": [1, 2,]}', 11, 'no comma before ]'],
    ['{"a": 1,}', 7, 'no comma before }'],
    ['{"a": 1 "b": 2}', 8, 'expected a comma, a colon or the end'],
    ['{"a": 1} {"b": 2}', 9, 'expected a comma, a colon or the end'],
    ['{"a": {', 7, 'ends before the object or array does'],
    [`{"a": "${secret}`, 6, 'the text that begins here is not closed'],
    [`{"a": "${secret}\n"}`, 6, 'the text that begins here is not closed'],
    ['{"a": "\t"}', 7, 'expected JSON'],
    ['{"a":: 1}', null, 'expected JSON'],
    ['', null, 'expected JSON'],
    ['['.repeat(201) + ']'.repeat(201), 200, 'nested more than 200 levels deep'],
    ['{"a":'.repeat(100_000), 1000, 'nested more than 200 levels deep'],
  ])('refuses %.60s', (text, at, message) => {
    const fault = faultOf(text);
    expect(fault).toBeInstanceOf(JsonFault);
    expect(fault.message).toContain(message);
    expect(fault.at).toBe(at);
    expect(fault.message).not.toContain(secret);
  });

  it('reads what has 200 levels', () => {
    expect(parseStrictJson('['.repeat(200) + ']'.repeat(200))).toBeDefined();
  });
});

describe('elementsOf', () => {
  it('splits an array into its elements, with their places', () => {
    const rows = [{ a: '],[{' }, [1, [2]], 'x', { b: { c: [] } }];
    for (const text of [JSON.stringify(rows), JSON.stringify(rows, null, 2)]) {
      const elements = elementsOf(text);
      expect(elements.map((it) => JSON.parse(it.text))).toEqual(rows);
      for (const it of elements) expect(text.startsWith(it.text, it.at)).toBe(true);
    }
    expect(elementsOf(' [ ] ')).toEqual([]);
  });

  it.each([
    ['[1, [2]', 'is not closed'],
    ['[1]\n[2]', 'expected the end of the file'],
    ['[1] 2', 'expected the end of the file'],
  ])('refuses %j', (text, message) => {
    expect(() => elementsOf(text)).toThrow(message);
  });
});
