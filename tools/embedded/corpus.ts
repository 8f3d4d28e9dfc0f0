// The programs on which the embedded policy is pretrained: good, mediocre and wrong ones. They are
// composed of independent choices, so that every quality that a reward measures varies separately.
// Each program depends only on the seed and its index.

import { type Uniforms, uniforms } from '../../src/engine/sampling/random.ts';
import { chance, pick, weighted } from './choose.ts';
import { mutant, truncated, withExtraBracket, withoutBracket } from './mutants.ts';
import * as program from './program.ts';
import { splitSeed, splitTasks } from './split.ts';
import { promptOf, type Task, tasksOf } from './tasks/task.ts';

/**
 * The mixture: probabilities, or relative weights where several are listed, drawn independently
 * for every program. They decide where reward training starts: a policy that imitates them has an
 * average reward of .20 to .30 and a best-of-8 above .50.
 */
export const mixture = {
  /** Ways to fail the gate: the program does not parse, or does not define the entry. */
  failure: { none: 54, truncated: 13, bracketMissing: 12, bracketTwice: 8, wrongName: 13 },
  /** One operator, constant, method or `return` is wrong. */
  mutant: 0.55,
  /** A body that does needless work, if the behaviour has one. */
  wasteful: 0.5,
  doc: { none: 50, comment: 14, summary: 12, partial: 12, full: 12 },
  /** Single letters for all names, including the wanted parameters. */
  letters: 0.4,
  /** `var` for `const` and `let`. */
  var: 0.4,
  /** `==` for `===`. */
  looseEquality: 0.5,
  /** A `console.log` left behind. */
  logging: 0.25,
};

/** Local names as good as those that the bodies use. */
const synonyms: Record<string, string[]> = {
  sum: ['sum', 'total'],
  count: ['count', 'found'],
  result: ['result', 'output'],
  value: ['value', 'entry'],
  item: ['item', 'entry'],
  index: ['index', 'position'],
  kept: ['kept', 'chosen'],
  char: ['char', 'letter'],
  word: ['word', 'part'],
};
const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
/** Names that a program may use without declaring them. */
const globals = new Set(['Array', 'Math', 'Object', '_']);

/** A prompt and a program that may follow it. */
export interface Example {
  prompt: string;
  completion: string;
}

/**
 * `count` examples, spread evenly over families; a smaller count gives a prefix of the same list.
 * Whatever the seed, the committed split is used, so that held-out behaviours never appear.
 */
export function pretrainingCorpus(seed: number, count: number): Example[] {
  const { pretraining } = splitTasks(splitSeed);
  return Array.from({ length: count }, (_, index) => {
    const random = uniforms(seed, 'corpus', index);
    const { family, behaviours } = pick(random, pretraining);
    const task = pick(random, tasksOf(family, pick(random, behaviours)));
    return { prompt: promptOf(task), completion: completionOf(task, random) };
  });
}

/** A program for the task, drawn from the mixture. */
export function completionOf(task: Task, random: Uniforms): string {
  const code = codeOf(task, random);
  const names = namesFor(task, code, random);
  const paramNames = task.behaviour.params.map(({ name }) => names.get(name)!);
  const doc = docOf(task, paramNames, random);
  return failing(doc + styled(program.rename(code, names), paramNames, random), task, random);
}

/** One of the task's functions, correct or with one mistake. */
function codeOf({ behaviour, entry }: Task, random: Uniforms): string {
  const { bodies, wasteful = [] } = behaviour;
  const choices = wasteful.length > 0 && chance(random, mixture.wasteful) ? wasteful : bodies;
  const code = program.functionOf(behaviour, entry, pick(random, choices));
  return chance(random, mixture.mutant) ? mutant(code, random) : code;
}

/** The new name of every parameter and variable of `code`, all different. */
function namesFor(task: Task, code: string, random: Uniforms): Map<string, string> {
  const params = program.paramRenames(task);
  const locals = [...new Set(program.identifiersOf(code).map(({ name }) => name))].filter(
    (name) => !params.has(name) && !globals.has(name) && name !== task.entry,
  );
  if (chance(random, mixture.letters))
    return new Map([...params.keys(), ...locals].map((name, i) => [name, letters[i]!]));
  const names = new Map(params);
  const used = new Set([...params.values(), ...locals]);
  for (const name of locals) {
    const chosen = pick(random, synonyms[name] ?? [name]);
    names.set(name, used.has(chosen) ? name : chosen);
    used.add(chosen);
  }
  return names;
}

/** The code with habits that a reviewer would criticise. */
function styled(code: string, paramNames: readonly string[], random: Uniforms): string {
  let result = code;
  if (chance(random, mixture.var)) result = result.replace(/\b(?:const|let) /g, 'var ');
  if (chance(random, mixture.looseEquality)) result = result.replace(/([!=])==/g, '$1=');
  if (chance(random, mixture.logging))
    result = result.replace('{\n', `{\n  console.log(${paramNames[0]});\n`);
  return result;
}

/** A doc comment that is complete, partial or missing. */
function docOf({ behaviour }: Task, paramNames: readonly string[], random: Uniforms): string {
  const wording: program.Wording = {
    thirdPerson: chance(random, 0.5),
    detail: pick(random, ['type', 'text', 'both']),
  };
  const summary = program.summaryOf(behaviour, wording);
  const { params, returns } = program.tagsOf(behaviour, paramNames, wording);
  switch (weighted(random, mixture.doc)) {
    case 'none':
      return '';
    case 'comment':
      return `// ${summary}\n`;
    case 'summary':
      return program.docBlock([summary]);
    case 'partial':
      return program.docBlock(
        pick(random, [
          [summary, ...params],
          [summary, returns],
          [...params, returns],
        ]),
      );
    case 'full':
      return program.docBlock([summary, ...params, returns]);
  }
}

/** The text unchanged, or damaged so that it fails the gate. */
function failing(text: string, task: Task, random: Uniforms): string {
  switch (weighted(random, mixture.failure)) {
    case 'none':
      return text;
    case 'truncated':
      return truncated(text, random);
    case 'bracketMissing':
      return withoutBracket(text, random);
    case 'bracketTwice':
      return withExtraBracket(text, random);
    case 'wrongName':
      return text.replace(`function ${task.entry}(`, `function ${otherName(task, random)}(`);
  }
}

function otherName({ family, entry }: Task, random: Uniforms): string {
  return pick(random, [...family.entries.filter((name) => name !== entry), 'main', 'solve']);
}
