import pc from 'picocolors';
import { expect, test } from 'vitest';
import { tableLines, width } from './table.ts';

test('text is aligned left, numbers and missing numbers right', () => {
  const rows = [
    ['a', '–', '12%'],
    ['long name', '0.25', '5%'],
  ];
  expect(tableLines(['name', 'reward', 'n'], rows)).toEqual([
    'name       reward    n',
    'a               –  12%',
    'long name    0.25   5%',
  ]);
});

test('colours take no width', () => {
  expect(width(pc.createColors(true).red('abc'))).toBe(3);
});
