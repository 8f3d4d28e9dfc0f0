import { expect, it } from 'vitest';
import { judgeOutcome, toSandboxProgram } from './verdict.ts';

const judge = (returned: string, returns: unknown) =>
  judgeOutcome([{ args: [], returns: returns as never }], [{ returned }]).passed === 1;

it.each([
  ['1', 1],
  ['"a"', 'a'],
  ['null', null],
  ['{"b":[1,{"c":2}],"a":1}', { a: 1, b: [1, { c: 2 }] }],
  ['0', -0],
  ['[]', []],
])('%s is as expected', (returned, expected) => {
  expect(judge(returned, expected)).toBe(true);
});

it.each([
  ['1', '1'],
  ['[]', {}],
  ['{"0":1}', [1]],
  ['[1,2]', [2, 1]],
  ['[1]', [1, null]],
  ['{"a":1}', { a: 1, b: null }],
  ['false', 0],
  ['null', false],
  ['{"__proto__":1}', {}],
  ['no JSON', null],
  ['', null],
])('%s is not what was expected', (returned, expected) => {
  expect(judge(returned, expected)).toBe(false);
});

it('gives the share passed and names the first failure', () => {
  const tests = [1, 2, 3, 4].map((n) => ({ args: [n], returns: n }));
  const outcome = [{ returned: '1' }, { returned: '7' }, { failed: 'time limit' }];
  expect(judgeOutcome(tests, outcome)).toEqual({
    passed: 1 / 4,
    failure: 'test 2 of 4: expected 2, got 7',
  });
});

it('sends a program its arguments and nothing else', () => {
  const prompt = {
    id: 'a',
    prompt: 'p',
    entry: 'f',
    language: 'javascript' as const,
    tests: [{ args: [[1], 'x'], returns: 'secret' }],
    reference: 'the solution',
  };
  expect(toSandboxProgram(prompt, 'source')).toEqual({
    source: 'source',
    entry: 'f',
    calls: ['[[1],"x"]'],
  });
});

it.each([
  ['7\r\n\n', true],
  ['7 \t\v\f\n', true],
  ['7\ufeff\n', false],
  ['7\u2028', false],
  ['7\u00a0\n', false],
  [' 7', false],
])('whether output %j is 7: %s', (written, isRight) => {
  const tests = [{ stdin: '', stdout: '7' }];
  const outcome = [{ returned: JSON.stringify(written) }];
  expect(judgeOutcome(tests, outcome).passed).toBe(isRight ? 1 : 0);
});
