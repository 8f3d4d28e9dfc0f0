// Families over single numbers.

import { comparisons, numbersAround } from './predicates.ts';
import { type Behaviour, type Family, pairs, span } from './task.ts';

const value = { name: 'value', type: 'number', text: 'the number' };
const aNumber = { type: 'number', text: 'the result' };
const aBoolean = { type: 'boolean', text: 'whether it is' };

const clamp: Family = {
  name: 'clamp',
  entries: ['clamp', 'bound', 'limitTo'],
  behaviours: pairs(span(0, 4), span(5, 9)).map(
    ([low, high]): Behaviour => ({
      key: `${low}-${high}`,
      statement: `Limit value to the range ${low} to ${high}.`,
      params: [value],
      returns: aNumber,
      bodies: [
        `return Math.min(Math.max(value, ${low}), ${high});`,
        `return Math.max(${low}, Math.min(${high}, value));`,
        `if (value < ${low}) return ${low};\nif (value > ${high}) return ${high};\nreturn value;`,
      ],
      wasteful: [`return [${low}, value, ${high}].sort((a, b) => a - b)[1];`],
      cases: [low - 1, low, low + 1, high, high + 1, 50, -50].map((n) => [n]),
    }),
  ),
};

const joins = [
  { word: 'and', operator: '&&' },
  { word: 'or', operator: '||' },
];
const divisors = pairs(span(2, 9), span(2, 9)).filter(([first, second]) => first < second);

const multipleOf: Family = {
  name: 'multiple-of',
  entries: ['isMultiple', 'divides', 'fits'],
  behaviours: pairs(joins, divisors).map(
    ([{ word, operator }, [first, second]]): Behaviour => ({
      key: `${first}-${word}-${second}`,
      statement: `Tell whether value is divisible by ${first} ${word} ${second}.`,
      params: [value],
      returns: aBoolean,
      bodies: [
        `return value % ${first} === 0 ${operator} value % ${second} === 0;`,
        `const first = value % ${first} === 0;\nreturn first ${operator} value % ${second} === 0;`,
        `return [${first}, ${second}].${word === 'and' ? 'every' : 'some'}((k) => value % k === 0);`,
      ],
      cases: [first * second, 0, first, second, 1, 2 * first, 3 * second + 1].map((n) => [n]),
    }),
  ),
};

const linear: Family = {
  name: 'linear',
  entries: ['compute', 'convert', 'transform'],
  behaviours: pairs(pairs(span(2, 9), ['add', 'subtract']), span(1, 9)).map(
    ([[factor, verb], offset]): Behaviour => {
      const operator = verb === 'add' ? '+' : '-';
      return {
        key: `${factor}-${verb}-${offset}`,
        statement: `Multiply value by ${factor}, then ${verb} ${offset}.`,
        params: [value],
        returns: aNumber,
        bodies: [
          `return value * ${factor} ${operator} ${offset};`,
          `const product = value * ${factor};\nreturn product ${operator} ${offset};`,
          `return ${factor} * value ${operator} ${offset};`,
        ],
        wasteful: [
          `let sum = 0;\nfor (let i = 0; i < ${factor}; i++) sum += value;\nreturn sum ${operator} ${offset};`,
        ],
        cases: [1, 0, -1, 7, 100, 0.5].map((n) => [n]),
      };
    },
  ),
};

const roundings = [
  { word: 'Round value to the nearest', method: 'round' },
  { word: 'Round value down to a', method: 'floor' },
  { word: 'Round value up to a', method: 'ceil' },
];

const roundTo: Family = {
  name: 'round-to',
  entries: ['roundTo', 'snap', 'toGrid'],
  behaviours: pairs(roundings, span(2, 9)).map(
    ([{ word, method }, step]): Behaviour => ({
      key: `${method}-${step}`,
      statement: `${word} multiple of ${step}.`,
      params: [value],
      returns: { type: 'number', text: 'the multiple' },
      bodies: [
        `return Math.${method}(value / ${step}) * ${step};`,
        `const steps = Math.${method}(value / ${step});\nreturn steps * ${step};`,
        `return ${step} * Math.${method}(value / ${step});`,
      ],
      cases: [0, 1, step - 1, step, step + 1, 23, 100].map((n) => [n]),
    }),
  ),
};

const sumRange: Family = {
  name: 'sum-range',
  entries: ['sumRange', 'addAll', 'series'],
  behaviours: pairs(span(1, 9), span(2, 5)).map(
    ([start, step]): Behaviour => ({
      key: `${start}-by-${step}`,
      statement: `Sum the integers from ${start} to end in steps of ${step}.`,
      params: [{ name: 'end', type: 'number', text: 'the last integer' }],
      returns: { type: 'number', text: 'the sum' },
      bodies: [
        `let sum = 0;\nfor (let i = ${start}; i <= end; i += ${step}) sum += i;\nreturn sum;`,
        `let sum = 0;\nfor (let i = ${start}; i <= end; i += ${step}) {\n  sum += i;\n}\nreturn sum;`,
      ],
      wasteful: [
        `let sum = 0;\nfor (let i = ${start}; i <= end; i++) {\n  if ((i - ${start}) % ${step} === 0) sum += i;\n}\nreturn sum;`,
      ],
      cases: [start, start + step, 20, 0, start + 1, 30].map((n) => [n]),
    }),
  ),
};

const labelPairs = [
  ['high', 'low'],
  ['yes', 'no'],
  ['big', 'small'],
  ['pass', 'fail'],
] as const;

const label: Family = {
  name: 'label',
  entries: ['label', 'describe', 'grade'],
  behaviours: pairs(comparisons, labelPairs).map(([predicate, [hit, miss]]): Behaviour => {
    const test = predicate.test('value');
    return {
      key: `${predicate.key}-${hit}`,
      statement: `Return '${hit}' if value is ${predicate.phrase}, else '${miss}'.`,
      params: [value],
      returns: { type: 'string', text: 'the word' },
      bodies: [
        `return ${test} ? '${hit}' : '${miss}';`,
        `if (${test}) return '${hit}';\nreturn '${miss}';`,
        `if (${predicate.not('value')}) return '${miss}';\nreturn '${hit}';`,
      ],
      cases: numbersAround(predicate.bound).map((n) => [n]),
    };
  }),
};

const within: Family = {
  name: 'within',
  entries: ['isNear', 'within', 'closeTo'],
  behaviours: pairs(span(2, 5), span(1, 9)).map(
    ([distance, center]): Behaviour => ({
      key: `${distance}-of-${center}`,
      statement: `Tell whether value is at most ${distance} away from ${center}.`,
      params: [value],
      returns: aBoolean,
      bodies: [
        `return Math.abs(value - ${center}) <= ${distance};`,
        `const distance = Math.abs(value - ${center});\nreturn distance <= ${distance};`,
        `return Math.abs(${center} - value) <= ${distance};`,
      ],
      cases: [0, -distance, distance, distance + 1, -distance - 1, 30].map((d) => [center + d]),
    }),
  ),
};

export const numberFamilies: Family[] = [
  clamp,
  multipleOf,
  linear,
  roundTo,
  sumRange,
  label,
  within,
];
