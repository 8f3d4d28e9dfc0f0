import { expect, it } from 'vitest';
import { parseProgram } from '../programs/javascript.ts';
import { judgeDocumentation } from './documentation.ts';

const code = 'function f(values, limit) { return values.slice(0, limit); }';

function judge(source: string): number {
  const program = parseProgram(source, 'f');
  if ('failed' in program) throw new Error(program.failed);
  return judgeDocumentation(program);
}
const block = (...lines: string[]) => `/**\n${lines.map((line) => ` * ${line}\n`).join('')} */\n`;

const description = 'Takes the first values of a list.';
const values = '@param {number[]} values - the list to take from';
const limit = '@param {number} limit - how many to take';
const returns = '@returns {number[]} the values taken';

it.each([
  ['everything', block(description, values, limit, returns), 1],
  [
    'no types',
    block(description, '@param values the list', '@param limit how many', '@return the values'),
    1,
  ],
  [
    'optional parameters',
    block(description, values, '@param {number} [limit=3] how many', returns),
    1,
  ],
  ['nested types', block(description, '@param {{a: {b: number}}} values', limit, returns), 1],
  ['several lines for a tag', block(description, '@param values', 'the list', limit, returns), 1],
  ['one line', '/** Takes the first values of a list. */\n', 0.3],
  ['no description', block(values, limit, returns), 0.7],
  ['no returns', block(description, values, limit), 0.7],
  ['one of two parameters', block(description, values, returns), 0.8],
  ['names alone', block(description, '@param values', '@param limit', returns), 0.8],
  ['a wrong name', block(description, values, '@param {number} count - how many', returns), 0.6],
  [
    'wrong names only',
    block(description, '@param list the list', '@param count how many', returns),
    0.6,
  ],
  [
    'a parameter too many',
    block(description, values, limit, '@param {number} more - words', returns),
    0.8,
  ],
  ['a parameter twice', block(description, values, values, returns), 0.6],
  ['an empty returns', block(description, values, limit, '@returns'), 0.7],
  ['too few words', block('Takes takes takes.', values, limit, returns), 0.7],
  ['an empty block', '/** */\n', 0],
  ['a plain comment', '// Takes the first values of a list.\n', 0.25],
  ['a plain block', '/* Takes the first values of a list. */\n', 0.25],
  ['a word', '// values\n', 0],
  ['nothing', '', 0],
  [
    'spam above the block',
    `// ${'many words here '.repeat(50)}\n${block(description, values, limit, returns)}`,
    1,
  ],
  ['spam for a block', `${'// Takes the first values.\n'.repeat(50)}`, 0.25],
  [
    'a block that is not the last comment',
    `${block(description, values, limit, returns)}// x\n`,
    0,
  ],
  ['a block on another function', `${block(description, values, limit, returns)}const g = 1;\n`, 0],
])('%s', (_, comment, worth) => {
  expect(judge(comment + code)).toBeCloseTo(worth, 10);
});

it('comments inside the body gain no more than one plain comment', () => {
  const inside = code.replace('{ return', '{ // Takes the first values of a list.\nreturn');
  expect(judge(inside)).toBe(0.25);
  expect(judge(inside.replace('return', '/** @returns {number[]} values */ return'))).toBe(0.25);
});

it('documents an arrow, its defaults and rest, and a pattern under any name', () => {
  const doc = block(
    description,
    values,
    '@param {object} options - how',
    '@param options.limit how many',
    returns,
  );
  expect(judge(`${doc}const f = (values, { limit }) => values.slice(0, limit);`)).toBe(1);
  const rest = block(description, '@param {number} size', '@param {any[]} more', returns);
  expect(judge(`${rest}const f = (size = 1, ...more) => more.slice(size);`)).toBe(1);
});

it('without parameters and result, expects no tags for them and accepts none', () => {
  const plain = 'function f() { let count = 0; count++; }';
  expect(judge(block(description) + plain)).toBe(1);
  expect(judge(block(description, values) + plain)).toBeCloseTo(0.6, 10);
  expect(judge(block(description, returns) + plain)).toBeCloseTo(0.7, 10);
});
