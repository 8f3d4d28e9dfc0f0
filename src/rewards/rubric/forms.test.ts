// Every form of test, in JavaScript and TypeScript, through the rubric.

import { expect, it } from 'vitest';
import { rubricSchema } from '../../config/schema/rewards/rubric.ts';
import { promptSchema } from '../../records/prompts.ts';
import { scoreCompletions } from '../score-completions.ts';
import { createRubric } from './rubric.ts';

const rewards = [createRubric(rubricSchema.parse({ kind: 'rubric' }))];
async function judge(fields: object, completion: string) {
  const prompt = promptSchema.parse({ id: 'double', prompt: '// Double it.\n', ...fields });
  const [score] = await scoreCompletions([prompt], [completion], rewards);
  return score!.rewards.rubric!;
}
const whole = { tests: [{ stdin: '3\n', stdout: '6' }] };
const scripts = {
  javascript: 'const double = (value) => value * 2;',
  typescript: 'const double = (value: number): number => value * 2;',
};
const typedTest = 'const expected: number = 6;\nassert.strictEqual(double(3), expected);';
const tests = {
  javascript: ['assert.strictEqual(double(3), 6)', 'assert(double(2) === 4)'],
  typescript: [typedTest, 'declare const require: any;\nrequire("assert").equal(double(2), 4)'],
};

it.each(['javascript', 'typescript'] as const)('%s: tests that assert', async (language) => {
  const reference = scripts[language];
  const asserts = tests[language].map((text) => ({ assert: text }));
  const fields = { language, entry: 'double', tests: asserts, reference };
  const criteria = { correctness: 1, quality: 1, efficiency: 1, documentation: 0 };
  expect(await judge(fields, reference)).toMatchObject({ criteria });
  const half = await judge(fields, reference.replace('* 2', '+ 2'));
  expect(half.criteria.correctness).toBe(0.5);
  expect(half.note).toMatch(/^test 1 of 2: AssertionError: expected 6, found 5/);
});

it.each([
  ['javascript', 'const value = Number(readline());\nconsole.log(value * 2);\n'],
  ['typescript', 'const value: number = Number(readline());\nconsole.log(value * 2);\n'],
  [
    'typescript',
    "const text: string = require('fs').readFileSync(0, 'utf8');\nprint(Number(text) * 2);\n",
  ],
])('%s: whole runs', async (language, program) => {
  const reference = `// Doubles the number it reads.\n${program}`;
  const fields = { language, ...whole, reference };
  const criteria = { correctness: 1, quality: 1, efficiency: 1, documentation: 1 };
  expect(await judge(fields, reference)).toEqual({ value: 1, criteria });
  const wrong = await judge(fields, program.replace('* 2', '+ 2'));
  expect(wrong.criteria).toMatchObject({ correctness: 0, documentation: 0 });
  expect(wrong.note).toMatch(/^test 1 of 1: expected "6", got "5/);
  const worse = await judge(fields, `debugger;\nvar unused = missing;\n${program}`);
  expect(worse.note).toMatch(/undeclared name.*unused variable.*logging left behind.*var/);
});

it.each([
  ['javascript', 'export const double = (value) => value * 2;'],
  ['javascript', 'const twice = (value) => value * 2;\nexport { twice as double };'],
  [
    'javascript',
    '/** Doubles. */\nexport default function double(value) {\n  return value * 2;\n}\n',
  ],
  [
    'javascript',
    "import { strict as assert } from 'node:assert';\nexport const double = (value) => {\n  assert(value);\n  return value * 2;\n};",
  ],
  ['javascript', 'const double = (value) => structuredClone([value * 2])[0];'],
  ['typescript', 'export const double = (value: number): number => value * 2;'],
  [
    'typescript',
    'export interface Made { made: number }\nexport default function double(value: number): Made["made"] {\n  return value * 2;\n}',
  ],
])('%s: a program that Node runs: %j', async (language, program) => {
  const test = { args: [3], returns: 6 };
  const reference = scripts[language as keyof typeof scripts];
  const fields = { language, entry: 'double', tests: [test], reference };
  const { criteria, note } = await judge(fields, program);
  expect(note).toBeUndefined();
  expect(criteria).toMatchObject({ correctness: 1, quality: 1 });
});

it.each([
  [
    "const lines: string[] = [];\nconst rl = readline.createInterface({ input: process.stdin, output: process.stdout });\nrl.on('line', (line) => lines.push(line));\nrl.on('close', () => console.log(Number(lines[0]) * 2));",
    "import * as readline from 'readline';",
  ],
  [
    "const text: string = fs.readFileSync(0, 'utf8');\nconst timer: NodeJS.Timeout = setTimeout((factor: number) => console.log(Number(text) * factor), 1, 2);\ntimer.ref();",
    "import fs from 'fs';",
  ],
])('typescript: a whole run with modules of Node: %j', async (program, imports) => {
  const reference = 'print(Number(readline()) * 2);';
  const { criteria, note } = await judge(
    { language: 'typescript', ...whole, reference },
    `${imports}\n${program}`,
  );
  expect(note).toBeUndefined();
  expect(criteria).toMatchObject({ correctness: 1, quality: 1 });
});

it.each([
  [
    'javascript',
    'class Numbers { static double(value) { return value * 2; } }\nconst double = Numbers.double;',
  ],
  ['javascript', 'const { double } = { double: (value) => value * 2 };'],
  ['javascript', 'let double;\n{ double = (value) => value * 2; }'],
  ['typescript', 'const { double } = { double: (value: number): number => value * 2 };'],
  [
    'python',
    'try:\n    from nowhere import double\nexcept ImportError:\n    def double(value):\n        return value * 2',
  ],
  ['python', 'from operator import mul\ndouble, _ = (lambda value: mul(value, 2)), None'],
])(
  '%s: an entry that only running it finds is tested, and earns nothing for its text: %j',
  async (language, program) => {
    const reference =
      language === 'python'
        ? 'def double(value):\n    return value * 2\n'
        : scripts[language as keyof typeof scripts];
    const fields = { language, entry: 'double', tests: [{ args: [3], returns: 6 }], reference };
    const criteria = { correctness: 1, quality: 0, efficiency: 0, documentation: 0 };
    const { note, ...found } = await judge(fields, program);
    expect(found.criteria).toEqual(criteria);
    expect(note).toMatch(/its text does not tell what runs: no function 'double' is defined/);
  },
);

it('an empty program gets 0', async () => {
  const reference = 'print(Number(readline()) * 2);';
  const { criteria } = await judge({ ...whole, reference }, '');
  expect(criteria).toMatchObject({ correctness: 0, quality: 0.5, efficiency: 0 });
});
