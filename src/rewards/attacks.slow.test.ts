// Scores every attack of test/attacks among good programs, as a policy's samples are: no attack
// passes, and none harms its neighbours.

import { expect, it } from 'vitest';
import { z } from 'zod';
import { rubricSchema } from '../config/schema/rewards/rubric.ts';
import { type Prompt, promptSchema } from '../records/prompts.ts';
import { readRows } from './rows.ts';
import { createRubric } from './rubric/rubric.ts';
import { Sandbox } from './sandbox/sandbox.ts';
import { toSandboxProgram } from './sandbox/verdict.ts';
import { scoreCompletions } from './score-completions.ts';

const file = new URL('../../test/attacks/attacks.jsonl', import.meta.url).pathname;
const attackSchema = z.strictObject({
  id: z.string(),
  language: promptSchema.shape.language.unwrap(),
  /** The kind of test under attack: calls, assertions or expected output. */
  test: z.enum(['call', 'assert', 'stdout']),
  source: z.string(),
});
const attacks = (await readRows(file, attackSchema)).map(({ row }) => row);

const javascript = `/**
 * Gives the number that belongs to another.
 * @param {number} key the other number
 * @returns {number} its number
 */
function solve(key) {
  return key * 29137;
}
`;
const typescript = javascript
  .replaceAll(/\{number\} /g, '')
  .replace('solve(key)', 'solve(key: number): number');
const python = `def solve(key):
    """Give the number that belongs to another.

    Args:
        key: the other number.

    Returns:
        Its number.
    """
    return key * 29137
`;
const printing = 'const key = Number(readline());\nconsole.log(key * 29137);\n';
const assertion = 'assert.strictEqual(solve(3), 87411)';
const written = {
  javascript: { reference: javascript, printing, assertion },
  typescript: { reference: typescript, printing, assertion },
  python: {
    reference: python,
    printing: 'key = int(input())\nprint(key * 29137)\n',
    assertion: 'assert solve(3) == 87411',
  },
};
const promptFor = ({ language, test }: Pick<(typeof attacks)[0], 'language' | 'test'>): Prompt => {
  const { reference, printing, assertion } = written[language];
  const tests = {
    call: [{ args: [3], returns: 87411 }],
    assert: [{ assert: assertion }],
    stdout: [{ stdin: '3\n', stdout: '87411\n' }],
  };
  return promptSchema.parse({
    id: `${language} ${test}`,
    prompt: 'Give the number.',
    entry: test === 'stdout' ? '' : 'solve',
    language,
    tests: tests[test],
    reference: test === 'stdout' ? printing : reference,
  });
};
const prompts = new Map<string, Prompt>();
function promptOf(attack: (typeof attacks)[0]): Prompt {
  const key = `${attack.language} ${attack.test}`;
  const prompt = prompts.get(key) ?? promptFor(attack);
  prompts.set(key, prompt);
  return prompt;
}

it('no attack passes, and good programs beside them keep their exact scores', async () => {
  expect(attacks.length).toBeGreaterThanOrEqual(60);
  const limits = { time_limit_ms: 200, memory_limit_mb: 32 };
  const rewards = [createRubric(rubricSchema.parse({ kind: 'rubric', ...limits }))];
  const asked = attacks.flatMap((attack) => [promptOf(attack), promptOf(attack)]);
  const texts = attacks.flatMap((attack) => [attack.source, promptOf(attack).reference]);
  const scores = await scoreCompletions(asked, texts, rewards);
  const right = attacks.filter(
    (_, index) => scores[2 * index]!.rewards.rubric!.criteria.correctness !== 0,
  );
  expect(right.map(({ id }) => id)).toEqual([]);
  const criteria = { correctness: 1, quality: 1, efficiency: 1, documentation: 1 };
  for (const [index, { language, test }] of attacks.entries()) {
    const beside = scores[2 * index + 1]!;
    expect(beside.reward).toBe(1);
    const documentation = test === 'stdout' ? 0 : 1;
    expect(beside.rewards.rubric!.criteria, `${language} ${test}`).toEqual({
      ...criteria,
      documentation,
    });
  }
}, 400_000);

const limits = { timeLimitMs: 200, memoryLimitMb: 32 };
/** Attacks at which the interpreter itself breaks. */
const breaking = ['source nested deeply'];

it.each(['javascript', 'typescript', 'python'] as const)(
  'attacks in %s are ended by counting, not by ending their process',
  async (language) => {
    // The sandbox of TypeScript only compiles; programs run in that of JavaScript.
    const isRead = language === 'typescript';
    const sandbox = new Sandbox({ ...limits, memoryLimitMb: isRead ? 512 : 32 }, language);
    const programOf = (prompt: Prompt, source: string) =>
      isRead ? { source, entry: 'check', calls: ['[]'] } : toSandboxProgram(prompt, source);
    const asserted = promptFor({ language, test: 'assert' });
    const own = attacks.filter((attack) => attack.language === language);
    const lost: string[] = [];
    try {
      for (const attack of own) {
        const good = programOf(asserted, asserted.reference);
        await sandbox.run([good]);
        const { pid } = sandbox;
        await sandbox.run([programOf(promptOf(attack), attack.source), good]);
        if (sandbox.pid !== pid) lost.push(attack.id);
      }
    } finally {
      await sandbox.close();
    }
    expect(lost.filter((id) => !breaking.includes(id))).toEqual([]);
  },
  400_000,
);
