// The pretraining mixture: reproducible from its seed, diverse, and with the rewards it is meant
// for.

import { beforeAll, expect, test } from 'vitest';
import { rubricSchema } from '../../src/config/schema/rewards/rubric.ts';
import { uniforms } from '../../src/engine/sampling/random.ts';
import { createRubric } from '../../src/rewards/rubric/rubric.ts';
import { scoreCompletions } from '../../src/rewards/score-completions.ts';
import { completionOf, pretrainingCorpus } from './corpus.ts';
import { mutant, truncated, withExtraBracket, withoutBracket } from './mutants.ts';
import { nodesOf, referenceOf, rename } from './program.ts';
import { toPrompt } from './prompts.ts';
import { splitSeed, splitTasks } from './split.ts';
import { families } from './tasks/families.ts';

const groupSize = 8;
const tasks = splitTasks(splitSeed).train;
const groups = tasks.map((task) =>
  Array.from({ length: groupSize }, (_, i) => completionOf(task, uniforms(3, task.id, i))),
);
const mean = (list: number[]) => list.reduce((sum, x) => sum + x, 0) / list.length;
let rewards: number[][];

beforeAll(async () => {
  const prompts = tasks.map(toPrompt).flatMap((prompt) => Array(groupSize).fill(prompt));
  const rubric = [createRubric(rubricSchema.parse({ kind: 'rubric' }))];
  const scores = await scoreCompletions(prompts, groups.flat(), rubric);
  rewards = groups.map((_, i) =>
    scores.slice(i * groupSize, (i + 1) * groupSize).map(({ reward }) => reward!),
  );
});

test('the corpus depends only on its seed, and a shorter one is its prefix', () => {
  const corpus = pretrainingCorpus(1, 200);
  expect(pretrainingCorpus(1, 50)).toEqual(corpus.slice(0, 50));
  expect(pretrainingCorpus(2, 50)).not.toEqual(corpus.slice(0, 50));
});

test('its average reward leaves room for improvement, and its best-of-8 is much higher', () => {
  const all = rewards.flat();
  expect(mean(all)).toBeGreaterThan(0.25);
  expect(mean(all)).toBeLessThan(0.35);
  expect(mean(rewards.map((group) => Math.max(...group)))).toBeGreaterThan(0.65);
  const failed = all.filter((reward) => reward === 0).length / all.length;
  expect(failed).toBeGreaterThan(1 / 3);
  expect(failed).toBeLessThan(1 / 2);
});

test('every family has programs that fail and programs that are good', () => {
  const byFamily = Object.groupBy(tasks.keys(), (i) => tasks[i]!.family.name);
  for (const { name } of families) {
    const found = byFamily[name]!.flatMap((i) => rewards[i]!);
    expect(Math.min(...found), name).toBe(0);
    expect(Math.max(...found), name).toBeGreaterThan(0.75);
  }
});

test('samples for one prompt nearly all differ', () => {
  expect(mean(groups.map((group) => new Set(group).size / groupSize))).toBeGreaterThan(0.95);
});

test('a mutant parses and is a different program; a damaged program does not parse', () => {
  tasks.forEach((task, i) => {
    const reference = referenceOf(task);
    const changed = mutant(reference, uniforms(4, i));
    expect(changed).not.toBe(reference);
    expect(nodesOf(changed).length).toBeGreaterThan(0);
    for (const damage of [truncated, withoutBracket, withExtraBracket])
      expect(() => nodesOf(damage(reference, uniforms(5, i))), task.id).toThrow(SyntaxError);
  });
});

test('renaming changes variables, keeps properties, and avoids names in use', () => {
  const program = 'function total(items) { const n = 1; return items.n + n + other.items; }';
  const renamed = rename(
    program,
    new Map([
      ['items', 'rows'],
      ['n', 'size'],
    ]),
  );
  expect(renamed).toBe(
    'function total(rows) { const size = 1; return rows.n + size + other.items; }',
  );
  expect(rename(program, new Map([['n', 'other']]))).toBe(program);
});
