import { expect, it } from 'vitest';
import { formatPython, lintPython } from './lint-python.ts';

it('names what is wrong in a Python file, and where', () => {
  expect(lintPython('a.py', 'import os\n\n\ndef f(a=[]):\n    return a\n')).toEqual([
    'a.py:1:8 F401 `os` imported but unused',
    'a.py:4:9 B006 Do not use mutable data structures for argument defaults',
  ]);
  expect(lintPython('a.py', 'def f(:\n')[0]).toMatch(/^a\.py:1:\d+ /);
});

it('refuses a file that is not formatted, and formats it', () => {
  const source = 'a = {"b":1}\n';
  expect(lintPython('a.py', source)).toEqual(['a.py: not formatted; run `npm run format`']);
  expect(formatPython(source)).toBe("a = {'b': 1}\n");
  expect(lintPython('a.py', formatPython(source))).toEqual([]);
});
