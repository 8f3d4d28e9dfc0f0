import { expect, it } from 'vitest';
import { jsonOfMarshal, marshalJson } from './marshal.ts';

const again = (json: string) => jsonOfMarshal(marshalJson(json), 2 ** 20);

it('keeps lists, texts and dicts of every size', () => {
  for (let size = 0; size < 600; size++) {
    const items = Array.from({ length: size }, (_, index) => [null, true, index][index % 3]);
    const values = [items, 'x'.repeat(size), Object.fromEntries(items.entries())];
    const json = JSON.stringify(values);
    expect(again(json)).toBe(json);
  }
});

it('keeps ints of every length', () => {
  for (let bits = 0n; bits < 200n; bits++)
    for (const value of [2n ** bits, 2n ** bits - 1n, -(2n ** bits)])
      expect(again(String(value))).toBe(String(value));
});

it('limits what is written', () => {
  expect(() => jsonOfMarshal(marshalJson(`[${'1,'.repeat(100)}1]`), 100)).toThrow('more than 100');
  expect(() => jsonOfMarshal(marshalJson('9'.repeat(200)), 100)).toThrow('more than 100');
});
