// Families that change the shape or the elements of a list.

import { type Behaviour, type Family, type Json, pairs, span } from './task.ts';

const values = { name: 'values', type: 'number[]', text: 'the numbers' };
const items = { name: 'items', type: 'any[]', text: 'the list' };
const anyList = { type: 'any[]', text: 'a new list' };
const numberList = { type: 'number[]', text: 'the new values' };

const itemLists: Json[][] = [
  [['a', 'b', 'c', 'd', 'e', 'f', 'g']],
  [[]],
  [['x']],
  [[1, 2]],
  [[5, 4, 3, 2]],
  [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
];

const arithmetic = [
  { verb: 'Add', by: (k: number) => `${k} to each value`, operator: '+' },
  { verb: 'Subtract', by: (k: number) => `${k} from each value`, operator: '-' },
  { verb: 'Multiply', by: (k: number) => `each value by ${k}`, operator: '*' },
];

const mapEach: Family = {
  name: 'map-each',
  entries: ['mapAll', 'change', 'applyAll'],
  behaviours: pairs(arithmetic, span(2, 9)).map(
    ([{ verb, by, operator }, k]): Behaviour => ({
      key: `${verb.toLowerCase()}-${k}`,
      statement: `${verb} ${by(k)}.`,
      params: [values],
      returns: numberList,
      bodies: [
        `return values.map((value) => value ${operator} ${k});`,
        `const result = [];\nfor (const value of values) {\n  result.push(value ${operator} ${k});\n}\nreturn result;`,
        `return Array.from(values, (value) => value ${operator} ${k});`,
      ],
      wasteful: [
        `let result = [];\nfor (const value of values) {\n  result = [...result, value ${operator} ${k}];\n}\nreturn result;`,
      ],
      cases: [[[1, 2, 3]], [[]], [[0]], [[-k, k, 2 * k]], [[10, 7, 7]], [[0.5, 100]]],
    }),
  ),
};

const slices = [
  { order: 'Take the first', slice: (k: number) => `0, ${k}`, test: (k: number) => `index < ${k}` },
  {
    order: 'Take the last',
    slice: (k: number) => `-${k}`,
    test: (k: number) => `index >= items.length - ${k}`,
  },
  { order: 'Drop the first', slice: (k: number) => `${k}`, test: (k: number) => `index >= ${k}` },
  {
    order: 'Drop the last',
    slice: (k: number) => `0, -${k}`,
    test: (k: number) => `index < items.length - ${k}`,
  },
];

const takeItems: Family = {
  name: 'take-items',
  entries: ['takeSome', 'trim', 'part'],
  behaviours: pairs(slices, span(2, 6)).map(
    ([{ order, slice, test }, k]): Behaviour => ({
      key: `${order.toLowerCase().replaceAll(' ', '-')}-${k}`,
      statement: `${order} ${k} items.`,
      params: [items],
      returns: anyList,
      bodies: [
        `return items.slice(${slice(k)});`,
        `return items.filter((_, index) => ${test(k)});`,
      ],
      wasteful: [
        `let result = [];\nfor (const [index, item] of items.entries()) {\n  if (${test(k)}) result = [...result, item];\n}\nreturn result;`,
      ],
      cases: itemLists,
    }),
  ),
};

const everyNth: Family = {
  name: 'every-nth',
  entries: ['everyNth', 'sample', 'stride'],
  behaviours: pairs(span(2, 7), span(1, 3)).map(
    ([step, start]): Behaviour => ({
      key: `${step}-from-${start}`,
      statement: `Keep one item in ${step}, starting at index ${start}.`,
      params: [items],
      returns: anyList,
      bodies: [
        `const result = [];\nfor (let i = ${start}; i < items.length; i += ${step}) {\n  result.push(items[i]);\n}\nreturn result;`,
        `return items.slice(${start}).filter((_, index) => index % ${step} === 0);`,
      ],
      wasteful: [
        `let result = [];\nfor (let i = ${start}; i < items.length; i += ${step}) {\n  result = [...result, items[i]];\n}\nreturn result;`,
      ],
      cases: itemLists,
    }),
  ),
};

const chunk: Family = {
  name: 'chunk',
  entries: ['chunk', 'groupsOf', 'split'],
  behaviours: span(2, 9).map(
    (size): Behaviour => ({
      key: `${size}`,
      statement: `Split items into lists of ${size}.`,
      params: [items],
      returns: { type: 'any[][]', text: 'the lists' },
      bodies: [
        `const result = [];\nfor (let i = 0; i < items.length; i += ${size}) {\n  result.push(items.slice(i, i + ${size}));\n}\nreturn result;`,
        `const count = Math.ceil(items.length / ${size});\nreturn Array.from({ length: count }, (_, i) => items.slice(i * ${size}, i * ${size} + ${size}));`,
      ],
      wasteful: [
        `let result = [];\nfor (let i = 0; i < items.length; i += ${size}) {\n  result = [...result, items.slice(i, i + ${size})];\n}\nreturn result;`,
      ],
      cases: itemLists,
    }),
  ),
};

const moves = [
  { order: 'Move the first', to: 'to the end', cut: (k: number) => `${k}` },
  { order: 'Move the last', to: 'to the front', cut: (k: number) => `-${k}` },
];

const rotate: Family = {
  name: 'rotate',
  entries: ['rotate', 'shiftBy', 'turn'],
  behaviours: pairs(moves, span(2, 6)).map(
    ([{ order, to, cut }, k]): Behaviour => ({
      key: `${order.split(' ').at(-1)}-${k}`,
      statement: `${order} ${k} items ${to}.`,
      params: [items],
      returns: anyList,
      bodies: [
        `return [...items.slice(${cut(k)}), ...items.slice(0, ${cut(k)})];`,
        `return items.slice(${cut(k)}).concat(items.slice(0, ${cut(k)}));`,
        `const head = items.slice(0, ${cut(k)});\nreturn [...items.slice(${cut(k)}), ...head];`,
      ],
      wasteful: [
        `let result = items.slice(${cut(k)});\nfor (const item of items.slice(0, ${cut(k)})) {\n  result = [...result, item];\n}\nreturn result;`,
      ],
      cases: itemLists,
    }),
  ),
};

const replaceValue: Family = {
  name: 'replace-value',
  entries: ['replaceIn', 'swap', 'exchange'],
  behaviours: pairs(span(0, 9), span(0, 9))
    .filter(([from, to]) => from !== to)
    .map(
      ([from, to]): Behaviour => ({
        key: `${from}-${to}`,
        statement: `Replace every ${from} with ${to}.`,
        params: [values],
        returns: numberList,
        bodies: [
          `return values.map((value) => (value === ${from} ? ${to} : value));`,
          `const result = [];\nfor (const value of values) {\n  result.push(value === ${from} ? ${to} : value);\n}\nreturn result;`,
        ],
        wasteful: [
          `let result = [];\nfor (const value of values) {\n  result = [...result, value === ${from} ? ${to} : value];\n}\nreturn result;`,
        ],
        cases: [
          [[from, to, from]],
          [[]],
          [[from]],
          [[to, to + 1]],
          [[from - 1, from, from + 1]],
          [[1, 2, 3, 4, 5, 6, 7, 8, 9]],
        ],
      }),
    ),
};

const combine: Family = {
  name: 'combine',
  entries: ['combine', 'zipWith', 'merge'],
  behaviours: pairs(['plus', 'minus'], span(2, 9)).map(([word, k]): Behaviour => {
    const operator = word === 'plus' ? '+' : '-';
    return {
      key: `${word}-${k}`,
      statement: `List each left value ${word} ${k} times the right one.`,
      params: [
        { name: 'left', type: 'number[]', text: 'the left' },
        { name: 'right', type: 'number[]', text: 'the right' },
      ],
      returns: numberList,
      bodies: [
        `return left.map((value, index) => value ${operator} ${k} * right[index]);`,
        `return Array.from(left, (value, index) => value ${operator} ${k} * right[index]);`,
      ],
      wasteful: [
        `let result = [];\nleft.forEach((value, index) => {\n  result = [...result, value ${operator} ${k} * right[index]];\n});\nreturn result;`,
      ],
      cases: [
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        [[], []],
        [[0], [7]],
        [
          [10, -1],
          [0, 1],
        ],
        [
          [5, 5, 5, 5],
          [1, 2, 3, 4],
        ],
      ],
    };
  }),
};

const repeatEach: Family = {
  name: 'repeat-each',
  entries: ['repeatAll', 'multiply', 'stretch'],
  behaviours: span(2, 9).map(
    (times): Behaviour => ({
      key: `${times}`,
      statement: `Repeat every item ${times} times.`,
      params: [items],
      returns: anyList,
      bodies: [
        `return items.flatMap((item) => Array(${times}).fill(item));`,
        `const result = [];\nfor (const item of items) {\n  for (let i = 0; i < ${times}; i++) result.push(item);\n}\nreturn result;`,
      ],
      wasteful: [
        `let result = [];\nfor (const item of items) {\n  for (let i = 0; i < ${times}; i++) result = [...result, item];\n}\nreturn result;`,
      ],
      cases: [[['a', 'b']], [[]], [[1]], [[1, 1, 2]], [['x', 'y', 'z', 'x']]],
    }),
  ),
};

export const listFamilies: Family[] = [
  mapEach,
  takeItems,
  everyNth,
  chunk,
  rotate,
  replaceValue,
  combine,
  repeatEach,
];
