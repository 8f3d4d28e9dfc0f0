// Families over a list of numbers and a condition: sum, count, keep, find, split.

import { listsAround, type Predicate, predicates } from './predicates.ts';
import type { Behaviour, Family } from './task.ts';

const values = { name: 'values', type: 'number[]', text: 'the numbers' };

/** The parts of a behaviour that depend on the condition: `test` and `not` read `value`. */
type Form = (
  test: string,
  not: string,
  phrase: string,
) => Omit<Behaviour, 'key' | 'params' | 'cases'>;

function selecting(name: string, entries: string[], form: Form): Family {
  const behaviour = (predicate: Predicate): Behaviour => ({
    key: predicate.key,
    params: [values],
    cases: listsAround(predicate.bound).map((list) => [list]),
    ...form(predicate.test('value'), predicate.not('value'), predicate.phrase),
  });
  return { name, entries, behaviours: predicates.map(behaviour) };
}

const sumWhere = selecting('sum-where', ['sumWhere', 'addUp', 'totalOf'], (test, _, phrase) => ({
  statement: `Sum the values ${phrase}.`,
  returns: { type: 'number', text: 'the sum' },
  bodies: [
    `let sum = 0;\nfor (const value of values) {\n  if (${test}) sum += value;\n}\nreturn sum;`,
    `return values.filter((value) => ${test}).reduce((sum, value) => sum + value, 0);`,
    `return values.reduce((sum, value) => (${test} ? sum + value : sum), 0);`,
  ],
  wasteful: [
    `let sum = 0;\nfor (const value of values) {\n  const list = values.filter((value) => ${test});\n  if (list.includes(value)) sum += value;\n}\nreturn sum;`,
  ],
}));

const countWhere = selecting('count-where', ['countIf', 'howMany', 'tally'], (test, _, phrase) => ({
  statement: `Count the values ${phrase}.`,
  returns: { type: 'number', text: 'the count' },
  bodies: [
    `return values.filter((value) => ${test}).length;`,
    `let count = 0;\nfor (const value of values) {\n  if (${test}) count += 1;\n}\nreturn count;`,
    `return values.reduce((count, value) => (${test} ? count + 1 : count), 0);`,
  ],
  wasteful: [
    `let list = [];\nfor (const value of values) {\n  if (${test}) list = [...list, value];\n}\nreturn list.length;`,
  ],
}));

const keepWhere = selecting(
  'keep-where',
  ['keepOnly', 'pickOut', 'select'],
  (test, not, phrase) => ({
    statement: `Keep the values ${phrase}.`,
    returns: { type: 'number[]', text: 'the kept values' },
    bodies: [
      `return values.filter((value) => ${test});`,
      `const result = [];\nfor (const value of values) {\n  if (${test}) result.push(value);\n}\nreturn result;`,
      `return values.flatMap((value) => (${not} ? [] : [value]));`,
    ],
    wasteful: [
      `let result = [];\nfor (const value of values) {\n  if (${test}) result = [...result, value];\n}\nreturn result;`,
    ],
  }),
);

const dropWhere = selecting(
  'drop-where',
  ['dropAll', 'remove', 'without'],
  (test, not, phrase) => ({
    statement: `Remove the values ${phrase}.`,
    returns: { type: 'number[]', text: 'the other values' },
    bodies: [
      `return values.filter((value) => ${not});`,
      `const result = [];\nfor (const value of values) {\n  if (${not}) result.push(value);\n}\nreturn result;`,
      `return values.flatMap((value) => (${test} ? [] : [value]));`,
    ],
    wasteful: [
      `let result = [];\nfor (const value of values) {\n  if (${not}) result = result.concat([value]);\n}\nreturn result;`,
    ],
  }),
);

const anyWhere = selecting('any-where', ['hasAny', 'contains', 'anyIs'], (test, not, phrase) => ({
  statement: `Tell whether any value is ${phrase}.`,
  returns: { type: 'boolean', text: 'whether one is' },
  bodies: [
    `return values.some((value) => ${test});`,
    `for (const value of values) {\n  if (${test}) return true;\n}\nreturn false;`,
    `return !values.every((value) => ${not});`,
  ],
  wasteful: [
    `let found = false;\nfor (const value of values) {\n  for (const value of values) {\n    if (${test}) found = true;\n  }\n}\nreturn found;`,
  ],
}));

const allWhere = selecting('all-where', ['allAre', 'everyIs', 'checkAll'], (test, not, phrase) => ({
  statement: `Tell whether all values are ${phrase}.`,
  returns: { type: 'boolean', text: 'whether all are' },
  bodies: [
    `return values.every((value) => ${test});`,
    `for (const value of values) {\n  if (${not}) return false;\n}\nreturn true;`,
    `return !values.some((value) => ${not});`,
  ],
  wasteful: [
    `let all = true;\nfor (const value of values) {\n  for (const value of values) {\n    if (${not}) all = false;\n  }\n}\nreturn all;`,
  ],
}));

const firstWhere = selecting(
  'first-where',
  ['findFirst', 'firstOf', 'search'],
  (test, _, phrase) => ({
    statement: `Find the first value ${phrase}, or null.`,
    returns: { type: 'number|null', text: 'the first' },
    bodies: [
      `for (const value of values) {\n  if (${test}) return value;\n}\nreturn null;`,
      `return values.find((value) => ${test}) ?? null;`,
      `const found = values.find((value) => ${test});\nreturn found ?? null;`,
    ],
    wasteful: [
      `const list = values.filter((value) => ${test});\nreturn list.length > 0 ? list[0] : null;`,
    ],
  }),
);

const indexWhere = selecting(
  'index-where',
  ['indexIn', 'positionOf', 'locate'],
  (test, _, phrase) => ({
    statement: `Find the index of the first value ${phrase}, or -1.`,
    returns: { type: 'number', text: 'the index' },
    bodies: [
      `return values.findIndex((value) => ${test});`,
      `for (const [index, value] of values.entries()) {\n  if (${test}) return index;\n}\nreturn -1;`,
    ],
    wasteful: [`return values.indexOf(values.filter((value) => ${test})[0]);`],
  }),
);

const averageWhere = selecting(
  'average-where',
  ['average', 'meanOf', 'avgOf'],
  (test, _, phrase) => ({
    statement: `Average the values ${phrase}, or 0 if none.`,
    returns: { type: 'number', text: 'the average' },
    bodies: [
      `const kept = values.filter((value) => ${test});\nreturn kept.reduce((sum, value) => sum + value, 0) / (kept.length || 1);`,
      `const kept = values.filter((value) => ${test});\nlet sum = 0;\nfor (const value of kept) sum += value;\nreturn sum / (kept.length || 1);`,
    ],
    wasteful: [
      `let list = [];\nfor (const value of values) {\n  if (${test}) list = [...list, value];\n}\nreturn list.reduce((sum, value) => sum + value, 0) / (list.length || 1);`,
    ],
  }),
);

const splitWhere = selecting(
  'split-where',
  ['splitBy', 'partition', 'divide'],
  (test, not, phrase) => ({
    statement: `Split into the values ${phrase} and the rest.`,
    returns: { type: 'number[][]', text: 'both lists' },
    bodies: [
      `return [values.filter((value) => ${test}), values.filter((value) => ${not})];`,
      `const kept = values.filter((value) => ${test});\nconst rest = values.filter((value) => ${not});\nreturn [kept, rest];`,
    ],
    wasteful: [
      `const kept = values.filter((value) => ${test});\nreturn [kept, values.filter((value) => !kept.includes(value))];`,
    ],
  }),
);

export const selectingFamilies: Family[] = [
  sumWhere,
  countWhere,
  keepWhere,
  dropWhere,
  anyWhere,
  allWhere,
  firstWhere,
  indexWhere,
  averageWhere,
  splitWhere,
];
