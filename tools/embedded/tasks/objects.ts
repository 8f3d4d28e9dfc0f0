// Families over objects and lists of objects.

import { comparisons, type Predicate } from './predicates.ts';
import { type Behaviour, type Family, type Json, pairs, span } from './task.ts';

const items = { name: 'items', type: 'object[]', text: 'the items' };
const item = { name: 'item', type: 'object', text: 'the item' };
const keys = ['price', 'size', 'age', 'score', 'stock', 'rank'];
const thresholds = pairs(keys, comparisons);

/** Lists of items whose `key` is around `bound`. */
function rowsAround(key: string, bound: number): Json[][] {
  const row = (value: number, index: number) => ({ name: `n${index}`, [key]: value });
  return [
    [bound - 1, bound, bound + 1],
    [],
    [bound],
    [2 * bound, 0, bound + 3],
    [20, bound, 1, 7, -2],
  ].map((numbers) => [numbers.map(row)]);
}

const reading = (key: string, { test }: Predicate) => test(`item.${key}`);

const namesWhere: Family = {
  name: 'names-where',
  entries: ['listNames', 'namesOf', 'getNames'],
  behaviours: thresholds.map(([key, predicate]): Behaviour => {
    const test = reading(key, predicate);
    return {
      key: `${key}-${predicate.key}`,
      statement: `List the name of each item with ${key} ${predicate.phrase}.`,
      params: [items],
      returns: { type: 'string[]', text: 'the names' },
      bodies: [
        `return items.filter((item) => ${test}).map((item) => item.name);`,
        `const result = [];\nfor (const item of items) {\n  if (${test}) result.push(item.name);\n}\nreturn result;`,
        `const kept = items.filter((item) => ${test});\nreturn kept.map((item) => item.name);`,
      ],
      wasteful: [
        `let result = [];\nfor (const item of items) {\n  if (${test}) result = [...result, item.name];\n}\nreturn result;`,
      ],
      cases: rowsAround(key, predicate.bound),
    };
  }),
};

const keepItems: Family = {
  name: 'keep-items',
  entries: ['filterBy', 'keepItems', 'itemsWith'],
  behaviours: thresholds.map(([key, predicate]): Behaviour => {
    const test = reading(key, predicate);
    return {
      key: `${key}-${predicate.key}`,
      statement: `Keep the items with ${key} ${predicate.phrase}.`,
      params: [items],
      returns: { type: 'object[]', text: 'the kept items' },
      bodies: [
        `return items.filter((item) => ${test});`,
        `const result = [];\nfor (const item of items) {\n  if (${test}) result.push(item);\n}\nreturn result;`,
        `return items.flatMap((item) => (${test} ? [item] : []));`,
      ],
      wasteful: [
        `let result = [];\nfor (const item of items) {\n  if (${test}) result = [...result, item];\n}\nreturn result;`,
      ],
      cases: rowsAround(key, predicate.bound),
    };
  }),
};

const keyPairs = pairs(keys, keys).filter(([first, second]) => first !== second);

const sumProducts: Family = {
  name: 'sum-products',
  entries: ['grandTotal', 'weigh', 'sumUp'],
  behaviours: keyPairs.map(
    ([first, second]): Behaviour => ({
      key: `${first}-${second}`,
      statement: `Sum ${first} times ${second} over all items.`,
      params: [items],
      returns: { type: 'number', text: 'the sum' },
      bodies: [
        `return items.reduce((sum, item) => sum + item.${first} * item.${second}, 0);`,
        `let sum = 0;\nfor (const item of items) {\n  sum += item.${first} * item.${second};\n}\nreturn sum;`,
      ],
      wasteful: [
        `let list = [];\nfor (const item of items) list = [...list, item.${first} * item.${second}];\nreturn list.reduce((sum, item) => sum + item, 0);`,
      ],
      cases: [
        [[1, 2]],
        [],
        [[3, 0]],
        [
          [2, 3],
          [4, 5],
        ],
        [
          [10, 10],
          [-1, 7],
          [0, 3],
        ],
      ].map((rows) => [rows.map(([a, b]) => ({ [first]: a!, [second]: b! }))]),
    }),
  ),
};

const withDefault: Family = {
  name: 'with-default',
  entries: ['withDefault', 'complete', 'fillIn'],
  behaviours: pairs(keys, span(1, 9)).map(
    ([key, value]): Behaviour => ({
      key: `${key}-${value}`,
      statement: `Copy item with ${key} set to ${value} if missing.`,
      params: [item],
      returns: { type: 'object', text: 'the copy' },
      bodies: [
        `return { ${key}: ${value}, ...item };`,
        `return { ...item, ${key}: item.${key} ?? ${value} };`,
        `return Object.assign({ ${key}: ${value} }, item);`,
      ],
      wasteful: [
        `let result = { ${key}: ${value} };\nfor (const key of Object.keys(item)) result = { ...result, [key]: item[key] };\nreturn result;`,
      ],
      cases: [{}, { [key]: value }, { [key]: 0 }, { name: 'n' }, { name: 'n', [key]: 12 }].map(
        (o) => [o],
      ),
    }),
  ),
};

const changeKey: Family = {
  name: 'change-key',
  entries: ['update', 'changed', 'bump'],
  behaviours: pairs(pairs(keys, ['raised', 'lowered']), span(2, 9)).map(
    ([[key, word], value]): Behaviour => {
      const operator = word === 'raised' ? '+' : '-';
      return {
        key: `${key}-${word}-${value}`,
        statement: `Copy item with ${key} ${word} by ${value}.`,
        params: [item],
        returns: { type: 'object', text: 'the copy' },
        bodies: [
          `return { ...item, ${key}: item.${key} ${operator} ${value} };`,
          `const copy = { ...item };\ncopy.${key} ${operator}= ${value};\nreturn copy;`,
          `return Object.assign({}, item, { ${key}: item.${key} ${operator} ${value} });`,
        ],
        wasteful: [
          `let copy = {};\nfor (const key of Object.keys(item)) copy = { ...copy, [key]: item[key] };\ncopy.${key} ${operator}= ${value};\nreturn copy;`,
        ],
        cases: [0, 1, 10, -3, 99].map((n) => [{ name: `n${n}`, [key]: n }]),
      };
    },
  ),
};

const extremes = [
  { word: 'largest', operator: '>' },
  { word: 'smallest', operator: '<' },
];

const extremeItem: Family = {
  name: 'extreme-item',
  entries: ['bestItem', 'findTop', 'leader'],
  behaviours: pairs(extremes, keys).map(
    ([{ word, operator }, key]): Behaviour => ({
      key: `${word}-${key}`,
      statement: `Find the item with the ${word} ${key}, or null.`,
      params: [items],
      returns: { type: 'object|null', text: 'the item' },
      bodies: [
        `let best = null;\nfor (const item of items) {\n  if (best === null || item.${key} ${operator} best.${key}) best = item;\n}\nreturn best;`,
        `if (items.length === 0) return null;\nreturn items.reduce((best, item) => (item.${key} ${operator} best.${key} ? item : best));`,
      ],
      wasteful: [
        `const sorted = [...items].sort((a, b) => ${operator === '>' ? `b.${key} - a.${key}` : `a.${key} - b.${key}`});\nreturn sorted.length > 0 ? sorted[0] : null;`,
      ],
      cases: rowsAround(key, 5),
    }),
  ),
};

const readKey: Family = {
  name: 'read-key',
  entries: ['readKey', 'lookUp', 'fetchKey'],
  behaviours: pairs(keys, span(1, 9)).map(
    ([key, value]): Behaviour => ({
      key: `${key}-${value}`,
      statement: `Return the ${key} of item, or ${value} if missing.`,
      params: [item],
      returns: { type: 'number', text: `the ${key}` },
      bodies: [
        `return item.${key} ?? ${value};`,
        `return '${key}' in item ? item.${key} : ${value};`,
        `if ('${key}' in item) return item.${key};\nreturn ${value};`,
      ],
      wasteful: [
        `const found = Object.entries(item).filter(([key]) => key === '${key}');\nreturn found.length > 0 ? found[0][1] : ${value};`,
      ],
      cases: [{}, { [key]: 0 }, { [key]: 15 }, { name: 'n' }, { name: 'n', [key]: value + 1 }].map(
        (o) => [o],
      ),
    }),
  ),
};

export const objectFamilies: Family[] = [
  namesWhere,
  keepItems,
  sumProducts,
  withDefault,
  changeKey,
  extremeItem,
  readKey,
];
