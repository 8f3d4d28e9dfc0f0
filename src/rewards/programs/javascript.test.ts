import { expect, it } from 'vitest';
import { parseProgram } from './javascript.ts';

it.each([
  'function f() {}',
  'const f = () => 1;',
  'let g = 1, f = function () {};',
  '"use strict";\nconst help = 1;\nfunction f() {}',
])('passes the gate: %s', (source) => {
  expect(parseProgram(source, 'f')).toHaveProperty('asked.entry');
});

it.each([
  ['function f( {', 'does not parse'],
  ['', 'no function'],
  ['function g() {}', 'no function'],
  ['\n```js\nfunction f() {}\n```', 'line 2 is a Markdown fence, not a program'],
  ['export function f() {}', 'does not parse'],
  ['function f() { return await 1; }', 'does not parse'],
  [`const f = () => ${'['.repeat(6e4)}`, 'nested too deeply'],
  [`const f = () => ${'1+'.repeat(3e4)}1`, 'nested'],
  [`const f = () => ${'1+'.repeat(500)}1`, 'nested more than 500 levels deep'],
  [`const f = () => f${'()'.repeat(500)}`, 'nested more than 500 levels deep'],
  [`const f = () => 1;${' '.repeat(65_536)}`, 'longer than 65536 characters'],
])('fails the gate: %.50s', (source, words) => {
  expect(parseProgram(source, 'f')).toEqual({ failed: expect.stringContaining(words) });
});

it.each([
  'const f = 1;',
  '{ const f = () => 1; }',
  'const g = () => { function f() {} };',
  'class f {}',
  'const { f } = { f() {} };',
  'class A { static f() {} }\nconst f = A.f;',
  'globalThis.f = () => 1;',
])('passes the gate, but its text does not tell what runs: %s', (source) => {
  const hidden = "no function 'f' is defined at the top level";
  expect(parseProgram(source, 'f')).toMatchObject({ asked: null, hidden });
});

it('takes the later of two definitions', () => {
  const program = parseProgram('function f(a) {}\nfunction f(a, b) {}', 'f');
  expect(program).toMatchObject({ asked: { entry: { params: [{ name: 'a' }, { name: 'b' }] } } });
});
