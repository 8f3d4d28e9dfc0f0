// The rubric on Python, end to end: each finding lowers its own criterion and is named.

import { expect, it } from 'vitest';
import { rubricSchema } from '../../config/schema/rewards/rubric.ts';
import { type Prompt, promptSchema } from '../../records/prompts.ts';
import { scoreCompletions } from '../score-completions.ts';
import { createRubric } from './rubric.ts';

const reference = `def sum_above(values, limit):
    """Sum the values above a limit.

    Args:
        values: the numbers to look at.
        limit: what they must exceed.

    Returns:
        The sum of those numbers.
    """
    return sum(value for value in values if value > limit)
`;
const prompt: Prompt = promptSchema.parse({
  id: 'sum-above',
  prompt: '# Sum the values above a limit.\n',
  entry: 'sum_above',
  language: 'python',
  tests: [
    { args: [[1, 5, 9], 4], returns: 14 },
    { args: [[], 0], returns: 0 },
  ],
  reference,
});
const rewards = [createRubric(rubricSchema.parse({ kind: 'rubric' }))];
async function judge(completion: string) {
  const [score] = await scoreCompletions([prompt], [completion], rewards);
  return { reward: score!.reward, ...score!.rewards.rubric! };
}
const body = (...lines: string[]) =>
  `def sum_above(values, limit):\n${lines.map((line) => `    ${line}\n`).join('')}`;
const plain = 'return sum(value for value in values if value > limit)';

it('gives the reference 1, also in each criterion', async () => {
  const criteria = { correctness: 1, quality: 1, efficiency: 1, documentation: 1 };
  expect(await judge(reference)).toEqual({ reward: 1, value: 1, criteria });
});

it.each([
  ['def sum_above(', /does not parse/],
  ['def other():\n    return 1\n', /no function 'sum_above'/],
  [`x = ${'('.repeat(5000)}`, /does not parse/],
])('gives 0 to a program that fails the gate: %s', async (completion, note) => {
  const judged = await judge(completion);
  expect(judged.reward).toBe(0);
  expect(judged.note).toMatch(note);
});

it('counts the share of tests passed, and names the first failure', async () => {
  const { criteria, note } = await judge(body('return 14 * bool(values) + limit * 0'));
  expect(criteria.correctness).toBe(1);
  const wrong = await judge(body('return 0 * limit * len(values)'));
  expect(wrong.criteria.correctness).toBe(0.5);
  expect(wrong.note).toContain('test 1 of 2: expected 14, got 0');
  expect(note ?? '').not.toContain('test');
});

it.each([
  ['unused variable', ['spare = 1', plain]],
  ['unused import', ['import math', plain]],
  ['bare except', ['try:', '    return sum(values) * 0 + limit * 0', 'except:', '    return 0']],
  ['unreachable code', [plain, 'limit += 1']],
  ['logging left behind', ['print(limit)', plain]],
  ['unused parameter', ['return sum(values)']],
  ['undeclared name', ['return total(values, limit)']],
  ['dynamic code', ['return sum(values) + eval(str(limit))']],
  ['single-letter name', ['t = limit', 'return sum(value for value in values if value > t)']],
  [
    'name not in snake case',
    ['theLimit = limit', 'return sum(it for it in values if it > theLimit)'],
  ],
  ['shadowed builtin', ['sum = limit', 'return sum if values else sum']],
  ['trivial body', ['return 14']],
  [
    'deep nesting',
    [
      'for a1 in values:',
      ' if a1:',
      '  if limit:',
      '   if a1 > limit:',
      '    return a1',
      'return 0',
    ],
  ],
])('objects to: %s', async (name, lines) => {
  const judged = await judge(body(...lines));
  expect(judged.criteria.quality).toBeLessThan(1);
  expect(judged.note).toContain(name);
});

it.each([
  ['nothing', body(plain), 0],
  ['a comment', `# Sum what is above the limit.\n${body(plain)}`, 0.25],
  ['a description', body('"""Sum the values above a limit."""', plain), 0.3],
  [
    'fields',
    body(
      '"""Sum the values above.',
      '',
      ':param values: numbers',
      ':param limit: bound',
      ':returns: the sum',
      '"""',
      plain,
    ),
    1,
  ],
  [
    'a parameter that is not there',
    body('"""Sum the values above.', '', 'Args:', '    other: numbers', '"""', plain),
    0.3,
  ],
])('documentation: %s', async (_, completion, value) => {
  expect((await judge(completion)).criteria.documentation).toBeCloseTo(value, 10);
});

it('finds a quadratic program slower than the reference', async () => {
  const slow = body(
    'total = 0',
    'for value in values:',
    '    for other in values:',
    '        total += 0 * other',
    '    total += value if value > limit else 0',
    'return total',
  );
  const { criteria } = await judge(slow);
  expect(criteria.correctness).toBe(1);
  expect(criteria.efficiency).toBeLessThan(0.7);
});

it('runs tests that assert, and names the first that fails', async () => {
  const tests = ['assert sum_above([1, 5], 2) == 5', 'assert sum_above([], 0) == 0'];
  const asserting = { ...prompt, tests: tests.map((text) => ({ assert: text })) };
  const completions = [reference, body('return 0 * limit * len(values)')];
  const scores = await scoreCompletions([asserting, asserting], completions, rewards);
  expect(scores[0]!.reward).toBe(1);
  expect(scores[1]!.rewards.rubric!.criteria.correctness).toBe(0.5);
  expect(scores[1]!.rewards.rubric!.note).toContain(`test 1 of 2: failed: ${tests[0]}`);
});

it('tests whole programs by input and output', async () => {
  const source = 'total = int(input()) + int(input())\nprint(total)\n';
  const whole = promptSchema.parse({
    id: 'add',
    prompt: '# Add two numbers.\n',
    language: 'python',
    continues: true,
    tests: [{ stdin: '1\n2', stdout: '3' }],
    reference: source,
  });
  const wrong = source.replace('+', '-');
  const scores = await scoreCompletions([whole, whole], [source, wrong], rewards);
  expect(scores[0]!.reward).toBe(1);
  expect(scores[1]!.rewards.rubric!.criteria.correctness).toBe(0);
  expect(scores[1]!.rewards.rubric!.note).toContain('expected "3", got "-1\\n"');
});
