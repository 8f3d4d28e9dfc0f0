import { expect, it } from 'vitest';
import { parseProgram } from '../programs/javascript.ts';
import { costOf } from './cost.ts';

function cost(source: string): number {
  const program = parseProgram(source, 'f');
  if ('failed' in program) throw new Error(program.failed);
  return costOf(program);
}

it('counts operations, those inside a loop ten times', () => {
  expect(cost('function f(value) { return value + 1; }')).toBe(1);
  expect(cost('function f(value) { for (const item of value) value + item; }')).toBe(10);
});

/** The first does the same as the second at a lower cost. */
it.each([
  [
    'a list built by pushing',
    'function f(list) { const out = []; for (const item of list) out.push(item); return out; }',
    'by copying',
    'function f(list) { let out = []; for (const item of list) out = [...out, item]; return out; }',
  ],
  [
    'one loop',
    'function f(list) { let n = 0; for (const item of list) if (item > 1) n += item; return n; }',
    'a loop in a loop',
    'function f(list) { let n = 0; for (const a of list) for (const b of list) if (a > b) n += a; return n; }',
  ],
  [
    'a set',
    'function f(list) { const seen = new Set(list); return list.filter((item) => seen.has(item)); }',
    'a search in every turn',
    'function f(list) { return list.filter((item) => list.includes(item)); }',
  ],
  [
    'one pass',
    'function f(list) { return list.map((item) => item * 2 + 1); }',
    'two passes',
    'function f(list) { return list.map((item) => item * 2).map((item) => item + 1); }',
  ],
  [
    'the largest element',
    'function f(list) { return Math.max(...list); }',
    'by sorting',
    'function f(list) { return [...list].sort((a, b) => b - a)[0]; }',
  ],
  [
    'a loop',
    'function f(n) { let a = 0; for (let i = 0; i < n; i++) a += i; return a; }',
    'a tree of recursive calls',
    'function f(n) { return n < 2 ? n : f(n - 1) + f(n - 2); }',
  ],
  [
    'a helper called once',
    'const help = (list) => list.indexOf(1);\nfunction f(list) { return help(list); }',
    'in every turn',
    'const help = (list) => list.indexOf(1);\nfunction f(list) { return list.map(() => help(list)); }',
  ],
])('$0 costs less than $2', (_, cheap, __, dear) => {
  expect(cost(dear)).toBeGreaterThan(1.3 * cost(cheap));
});

it('counts a callback passed by name', () => {
  const named = 'const add = (a) => a + 1;\nfunction f(list) { return list.map(add); }';
  expect(cost(named)).toBe(cost('function f(list) { return list.map((a) => a + 1); }'));
});

it('terminates on functions that call each other, and on a callback that is the entry', () => {
  const mutual = 'function f(n) { return g(n - 1); } function g(n) { return f(n - 1); }';
  expect(cost(mutual)).toBeGreaterThan(0);
  expect(cost('function f(list) { return list.map(f); }')).toBeGreaterThan(0);
});

it('does not charge for functions that are never called', () => {
  const source = 'function f(value) { return value + 1; }';
  expect(cost(`function g(l) { for (const a of l) for (const b of l) a + b; }\n${source}`)).toBe(1);
});

it('holds for functions that call each other in a long chain', () => {
  const links = Array.from({ length: 2000 }, (_, i) => `let f${i}=n=>f${i + 1}(n)+1`);
  expect(cost(`${links.join(';')} ;let f2000=n=>n;let f=n=>f0(n)`)).toBe(4001);
});

it('is a finite number for loops nested deeply', () => {
  const loops = 'for (const a of b) '.repeat(400);
  expect(cost(`function f(b) { ${loops} b + a; }`)).toBe(1e100);
});
