// Programs scored per second by the built-in rubric, including the sandbox process and its
// messages, and how much of that time goes into running them and into reading their text.

import { rubricSchema } from '../src/config/schema/rewards/rubric.ts';
import { type Prompt, promptSchema } from '../src/records/prompts.ts';
import { parseProgram } from '../src/rewards/programs/javascript.ts';
import { compileTypeScript } from '../src/rewards/programs/typescript.ts';
import { judgeDocumentation } from '../src/rewards/rubric/documentation.ts';
import { judgeQuality } from '../src/rewards/rubric/quality.ts';
import { createRubric } from '../src/rewards/rubric/rubric.ts';
import { sharedSandbox } from '../src/rewards/sandbox/sandbox.ts';
import { toSandboxProgram } from '../src/rewards/sandbox/verdict.ts';
import { scoreCompletions } from '../src/rewards/score-completions.ts';
import { throughput } from './figure.ts';

const rounds = 7;
const programs = 1000;

const reference = `/**
 * Sums the values above a limit.
 * @param {number[]} values the numbers
 * @param {number} limit the limit
 * @returns {number} the sum
 */
function sumAbove(values, limit) {
  const kept = values.filter((value) => value > limit);
  return kept.reduce((sum, value) => sum + value, 0);
}
`;
const prompt: Prompt = promptSchema.parse({
  id: 'sum-above',
  prompt: '// Sum the values above a limit.\n',
  entry: 'sumAbove',
  tests: [3, 5, 8, 2, 13, 1].map((limit) => ({
    args: [[1, 2, 3, 5, 8, 13], limit],
    returns: [1, 2, 3, 5, 8, 13].filter((value) => value > limit).reduce((a, b) => a + b, 0),
  })),
  reference,
});
/** Right, wrong, mediocre and broken programs, no two with the same text. */
const completions = Array.from({ length: programs }, (_, index) => {
  const variants = [
    reference,
    reference.replace('> limit', '< limit'),
    `function sumAbove(a, b) { var s = 0; for (var i = 0; i < a.length; i++) { if (a[i] > b) s = s + a[i]; } return s; }`,
    reference.slice(0, -20),
  ];
  return `${variants[index % variants.length]}// ${index}\n`;
});
const prompts = completions.map(() => prompt);
const config = rubricSchema.parse({ kind: 'rubric' });
const rewards = [createRubric(config)];

await throughput('score, rubric and sandbox, JavaScript', 'programs/s', rounds, async () => {
  await scoreCompletions(prompts, completions, rewards);
  return programs;
});

const typedReference = reference
  .replaceAll(/\{number(\[\])?\} /g, '')
  .replace('(values, limit)', '(values: readonly number[], limit: number): number');
const typedPrompt = promptSchema.parse({
  ...prompt,
  language: 'typescript',
  reference: typedReference,
});
const typedCompletions = completions.map((text, index) =>
  index % 4 === 2 ? text : text.replace('(values, limit)', '(values: number[], limit: number)'),
);
const typedPrompts = typedCompletions.map(() => typedPrompt);
await throughput('score, rubric and sandbox, TypeScript', 'programs/s', rounds, async () => {
  await scoreCompletions(typedPrompts, typedCompletions, rewards);
  return programs;
});
await throughput('score, only the TypeScript compiler', 'programs/s', rounds, async () => {
  await compileTypeScript(typedCompletions);
  return programs;
});

const asserting = promptSchema.parse({
  ...prompt,
  tests: prompt.tests.map((test) => ({
    assert:
      'args' in test
        ? `assert.strictEqual(sumAbove(...${JSON.stringify(test.args)}), ${JSON.stringify(test.returns)})`
        : '',
  })),
});
const assertingPrompts = completions.map(() => asserting);
await throughput('score, assertions, JavaScript', 'programs/s', rounds, async () => {
  await scoreCompletions(assertingPrompts, completions, rewards);
  return programs;
});

const pythonReference = `def sum_above(values, limit):
    """Sum the values above a limit.

    Args:
        values: the numbers.
        limit: the limit.

    Returns:
        The sum.
    """
    return sum(value for value in values if value > limit)
`;
const pythonPrompt = promptSchema.parse({
  ...prompt,
  entry: 'sum_above',
  language: 'python',
  reference: pythonReference,
});
const pythonCompletions = Array.from({ length: programs }, (_, index) => {
  const variants = [
    pythonReference,
    pythonReference.replace('> limit', '< limit'),
    'def sum_above(a, b):\n    s = 0\n    for i in range(len(a)):\n        if a[i] > b: s = s + a[i]\n    return s\n',
    pythonReference.slice(0, -20),
  ];
  return `${variants[index % variants.length]}# ${index}\n`;
});
const pythonPrompts = pythonCompletions.map(() => pythonPrompt);
await throughput('score, rubric and sandbox, Python', 'programs/s', rounds, async () => {
  await scoreCompletions(pythonPrompts, pythonCompletions, rewards);
  return programs;
});

const sandbox = sharedSandbox({
  timeLimitMs: config.time_limit_ms,
  memoryLimitMb: config.memory_limit_mb,
});
const runnable = completions.filter((_, index) => index % 4 !== 3);
const inSandbox = runnable.map((source) => toSandboxProgram(prompt, source));
await throughput('score, only the sandbox', 'programs/s', rounds, async () => {
  await sandbox.run(inSandbox);
  return inSandbox.length;
});

await throughput('score, only the text', 'programs/s', rounds, async () => {
  for (const source of runnable) {
    const program = parseProgram(source, prompt.entry);
    if ('failed' in program) throw new Error(program.failed);
    judgeQuality(program);
    judgeDocumentation(program);
  }
  return runnable.length;
});
