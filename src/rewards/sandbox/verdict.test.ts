import { expect, it } from 'vitest';
import { judgeOutcome, toSandboxProgram } from './verdict.ts';

const judge = (
  returned: string,
  returns: unknown,
  language: 'javascript' | 'python' = 'javascript',
) => judgeOutcome([{ args: [], returns: returns as never }], [{ returned }], language).passed === 1;

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

it.each([
  ['354224848179261915075', 354224848179261915075n, true],
  ['354224848179261915000', 354224848179261915075n, false],
  ['354224848179261915076', 354224848179261915075n, false],
  ['-9007199254740993', -9007199254740993n, true],
  ['-9007199254740992', -9007199254740993n, false],
  ['[{"a":18446744073709551616}]', [{ a: 2n ** 64n }], true],
  ['100000000000000000000', 1e20, true],
  ['100000000000000000001', 1e20, false],
  ['100000000000000000000', 'x', false],
  ['3.5422484817926193e+20', 354224848179261931520n, true],
  ['3.5422484817926193e+20', 354224848179261930000n, false],
  ['1e+300', 1e300, true],
  ['1.5', 2n ** 64n, false],
])('in Python, whether %s is %s: %s', (returned, expected, isRight) => {
  expect(judge(returned, expected, 'python')).toBe(isRight);
});

it.each([
  ['100000000000000000000', 10n ** 20n, true],
  ['354224848179261930000', 354224848179261931520n, true],
  ['354224848179261930000', 354224848179261915075n, false],
  ['9007199254740992', 2n ** 53n, true],
])('in JavaScript, whether %s is %s: %s', (returned, expected, isRight) => {
  expect(judge(returned, expected)).toBe(isRight);
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
