import { expect, it } from 'vitest';
import { LruMap } from './lru-map.ts';

it('drops the least recently used entry and returns it', () => {
  const map = new LruMap<string, number>(2);
  expect(map.set('a', 1)).toEqual([]);
  expect(map.set('b', 2)).toEqual([]);
  expect(map.get('a')).toBe(1);
  expect(map.set('c', 3)).toEqual([2]);
  expect(map.get('b')).toBeUndefined();
  expect(map.get('a')).toBe(1);
});

it('replaces a value without dropping another', () => {
  const map = new LruMap<string, number>(2);
  for (const [key, value] of [
    ['a', 1],
    ['b', 2],
    ['a', 3],
  ] as const)
    expect(map.set(key, value)).toEqual([]);
  expect(map.get('a')).toBe(3);
  expect(map.set('c', 4)).toEqual([2]);
});

it('returns what it deletes, and everything when it is drained', () => {
  const map = new LruMap<string, number>(3);
  for (const [index, key] of ['a', 'b', 'c'].entries()) map.set(key, index);
  expect(map.delete('b')).toBe(1);
  expect(map.delete('b')).toBeUndefined();
  expect(map.drain()).toEqual([0, 2]);
  expect(map.drain()).toEqual([]);
});
