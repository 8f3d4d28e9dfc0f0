import { expect, it } from 'vitest';
import { parseProgram, textOf } from './javascript.ts';

/** The text of the function that is found for `f`, or why there is none. */
function found(source: string): string {
  const program = parseProgram(source, 'f');
  if ('failed' in program) return program.failed;
  return program.asked ? textOf(program, program.asked.entry) : program.hidden!;
}

it.each([
  [
    'the result of a call',
    'const times = (k) => (n) => n * k; const f = times(2);',
    '(n) => n * k',
  ],
  [
    'what a function declares and returns',
    'function make() { function inner(n) { return n; } return inner; }\nconst f = make();',
    'function inner(n) { return n; }',
  ],
  [
    'what a function called at once returns',
    'const f = (() => { const c = 1; return (n) => n + c; })();',
    '(n) => n + c',
  ],
  [
    'what a call of a call gives',
    'const a = (x) => (y) => (z) => z; const f = a(1)(2);',
    '(z) => z',
  ],
  ['another name', 'const g = (n) => n; const f = g;', '(n) => n'],
  ['a bound function', 'const g = (k, n) => n; const f = g.bind(null, 2);', '(k, n) => n'],
  ['what a call of another program is given', 'const f = memoize((n) => n);', '(n) => n'],
  ['an assignment', 'let f; f = (n) => n;', '(n) => n'],
  [
    'the last assignment',
    'function f(n) { return n; }\nconst slow = (n) => n + 0;\nf = slow;',
    '(n) => n + 0',
  ],
  ['a variable over a declaration', 'var f = (n) => n;\nfunction f() {}', '(n) => n'],
  ['an export', 'exports.f = (n) => n;', '(n) => n'],
  ['an export of the module', 'module.exports.f = (n) => n;', '(n) => n'],
  ['one of the exports', 'const g = (n) => n; module.exports = { f: g };', '(n) => n'],
  ['the only export', 'module.exports = (n) => n;', '(n) => n'],
])('finds %s', (_, source, text) => {
  expect(found(source)).toBe(text);
});

it.each([
  'const f = Math.max;',
  'const f = [(n) => n][0];',
  'function f() {}\nf = [(n) => n][0];',
  'const f = f;',
  'const f = g(); const g = f();',
  'module.exports = { g() {} };',
  'exports.g = () => 1;',
])('finds none in: %s', (source) => {
  expect(found(source)).toBe("no function 'f' is defined at the top level");
});
