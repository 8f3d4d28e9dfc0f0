// The committed prompts: made by this code, solved by their references, split by behaviour.

import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { expect, test } from 'vitest';
import { type Prompt, promptSchema } from '../../src/config/records.ts';
import { rubricSchema } from '../../src/config/schema.ts';
import { uniforms } from '../../src/engine/sampling/random.ts';
import { createRubric } from '../../src/rewards/rubric/rubric.ts';
import { scoreCompletions } from '../../src/rewards/score-completions.ts';
import { pretrainingCorpus } from './corpus.ts';
import { mutant } from './mutants.ts';
import { functionOf } from './program.ts';
import { promptFiles } from './prompts.ts';
import { families } from './tasks/families.ts';

const committed = (name: string) =>
  readFileSync(new URL(`../../data/${name}`, import.meta.url), 'utf8');
const parse = (lines: string): Prompt[] =>
  lines
    .trimEnd()
    .split('\n')
    .map((line) => promptSchema.parse(JSON.parse(line)));
const train = parse(committed('train.jsonl'));
const heldOut = parse(committed('held-out.jsonl'));
const statementOf = ({ prompt }: { prompt: string }) => prompt.split('\n')[0]!;
const rubric = createRubric(rubricSchema.parse({ kind: 'rubric', normalize_by_reference: false }));

test('the committed files are what the code makes', () => {
  for (const [name, content] of Object.entries(promptFiles()))
    expect(committed(name) === content, `data/${name} is stale: npm run make:policy`).toBe(true);
});

test('there are enough prompts, each its own', () => {
  expect(train.length).toBeGreaterThanOrEqual(240);
  expect(heldOut.length).toBeGreaterThanOrEqual(80);
  const prompts = [...train, ...heldOut];
  expect(new Set(prompts.map(({ id }) => id)).size).toBe(prompts.length);
  for (const { id } of prompts) expect(id).toMatch(/^[\w/-]+$/);
  expect(new Set(prompts.map(({ prompt }) => prompt)).size).toBe(prompts.length);
});

test('what is held out is asked for in no training prompt and no pretraining program', () => {
  const seen = [...train, ...pretrainingCorpus(7, 6000)].map(statementOf);
  const held = new Set(heldOut.map(statementOf));
  expect(seen.filter((statement) => held.has(statement))).toEqual([]);
});

test('the prompts that an evaluation of 64 takes are of all families', () => {
  const familyOf = ({ id }: Prompt) => id.split('/')[0];
  expect(new Set(heldOut.slice(0, 64).map(familyOf)).size).toBe(families.length);
});

test('every prompt has five tests or more, which no constant passes', () => {
  for (const { id, tests } of [...train, ...heldOut]) {
    expect(tests.length, id).toBeGreaterThanOrEqual(5);
    expect(
      new Set(tests.map((it) => 'returns' in it && JSON.stringify(it.returns))).size,
      id,
    ).toBeGreaterThan(1);
  }
});

test('the rubric finds nothing wrong with any reference', async () => {
  const prompts = [...train, ...heldOut];
  const references = prompts.map(({ reference }) => reference);
  const scores = await scoreCompletions(prompts, references, [rubric]);
  const flawed = scores.flatMap(({ reward, rewards }, i) =>
    reward! > 0.999 ? [] : [{ id: prompts[i]!.id, ...rewards.rubric }],
  );
  expect(flawed).toEqual([]);
});

test('tests catch nearly every reference with one thing changed', async () => {
  const mutants = train.map(({ reference, id }) => mutant(reference, uniforms(0, id)));
  const scores = await scoreCompletions(train, mutants, [rubric]);
  const caught = scores.filter(({ rewards }) => rewards.rubric!.criteria.correctness! < 1);
  expect(caught.length / train.length).toBeGreaterThan(0.97);
});

test.each(families)('every body of $name does the same', ({ behaviours }) => {
  const context = createContext();
  for (const behaviour of behaviours) {
    const { bodies, wasteful = [], cases } = behaviour;
    const results = [...bodies, ...wasteful].map((body) => {
      const calls = `${JSON.stringify(cases)}.map((args) => entry(...args))`;
      const code = `${functionOf(behaviour, 'entry', body)}JSON.stringify(${calls})`;
      return JSON.parse(runInContext(code, context) as string) as unknown;
    });
    for (const result of results) expect(result, behaviour.key).toEqual(results[0]);
  }
});
