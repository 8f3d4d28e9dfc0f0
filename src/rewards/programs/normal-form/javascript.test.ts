import { describe, expect, it } from 'vitest';
import { normalFormOf } from './javascript.ts';

const program = 'function add(a, b) { const sum = a + b; return sum; }';

describe('normalFormOf', () => {
  it.each([
    [
      'layout and comments',
      program,
      '// Adds.\nfunction add(a, b) {\n const sum = a+b\n return (sum) }',
    ],
    ['local names', program, 'function add(x, y) { const s = x + y; return s; }'],
    ['names of helpers', 'const f = (a) => a; f(1)', 'const g = a => a; g(1)'],
    ['spelling of literals', 'let s = "a" + 0x10', "let t = 'a' + 16"],
    ['shorthand', 'const f = ({ a }) => ({ a })', 'const f = ({ a: b }) => ({ a: b })'],
    ['shadowing', 'function f(a) { return (a) => a }', 'function f(a) { return (b) => b }'],
    ['bigints', 'let a = 10n', 'let b = 0xan'],
  ])('is one text for programs that differ in %s', (_, one, other) => {
    expect(normalFormOf(one)).not.toBeNull();
    expect(normalFormOf(one)).toBe(normalFormOf(other));
  });

  it.each([
    ['operands', program, 'function add(a, b) { const sum = b + a; return sum; }'],
    ['globals', 'Math.max(1)', 'Number.max(1)'],
    ['properties', 'const a = (x) => x.b', 'const a = (x) => x.c'],
    ['keys', 'const f = ({ a }) => a', 'const f = ({ b }) => b'],
    ['arguments', 'function f(a) { return arguments }', 'function f(a) { return a }'],
    ['raw templates', 'String.raw`\\x41`', 'String.raw`A`'],
    ['literals', 'let a = 1n', 'let a = 2n'],
    ['infinity', 'let a = 1e999', 'let a = null'],
    ['regular expressions', 'let a = /x/', 'let a = /x/g'],
    ['what a name is bound to', '(a) => (b) => a', '(a) => (b) => b'],
  ])('differs with %s', (_, one, other) => {
    expect(normalFormOf(one)).not.toBeNull();
    expect(normalFormOf(one)).not.toBe(normalFormOf(other));
  });

  it.each(['function (', `${'('.repeat(100_000)}1`])(
    'is null for what does not parse',
    (source) => {
      expect(normalFormOf(source)).toBeNull();
    },
  );
});
