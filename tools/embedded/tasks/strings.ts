// Families that change a text as a whole.

import { type Behaviour, type Family, markName, pairs, span } from './task.ts';

const text = { name: 'text', type: 'string', text: 'the text' };
const aString = { type: 'string', text: 'the new text' };
const texts = (...list: string[]) => list.map((entry) => [entry]);
const repeatText: Family = {
  name: 'repeat-text',
  entries: ['repeat', 'echo', 'times'],
  behaviours: pairs(span(2, 9), ['-', '+', '/', '.']).map(
    ([times, mark]): Behaviour => ({
      key: `${times}-${markName(mark)}`,
      statement: `Repeat text ${times} times, joined by '${mark}'.`,
      params: [text],
      returns: aString,
      bodies: [
        `return Array(${times}).fill(text).join('${mark}');`,
        `return Array.from({ length: ${times} }, () => text).join('${mark}');`,
        `return (text + '${mark}').repeat(${times}).slice(0, -1);`,
      ],
      wasteful: [
        `let list = [];\nfor (let i = 0; i < ${times}; i++) list = [...list, text];\nreturn list.join('${mark}');`,
      ],
      cases: texts('ab', '', 'x', 'a b', `${mark}`),
    }),
  ),
};

const sides = [
  { side: 'left', method: 'padStart' },
  { side: 'right', method: 'padEnd' },
];

const pad: Family = {
  name: 'pad',
  entries: ['pad', 'fillUp', 'align'],
  behaviours: pairs(pairs(sides, span(4, 9)), ['0', '*', '.']).map(
    ([[{ side, method }, width], fill]): Behaviour => {
      const fillOut = `'${fill}'.repeat(Math.max(0, ${width} - text.length))`;
      return {
        key: `${side}-${width}-${markName(fill)}`,
        statement: `Pad text on the ${side} with '${fill}' to ${width} characters.`,
        params: [text],
        returns: aString,
        bodies: [
          `return text.${method}(${width}, '${fill}');`,
          side === 'left' ? `return ${fillOut} + text;` : `return text + ${fillOut};`,
        ],
        wasteful: [
          `let result = text;\nfor (let i = text.length; i < ${width}; i++) {\n  result = ${side === 'left' ? `'${fill}' + result` : `result + '${fill}'`};\n}\nreturn result;`,
        ],
        cases: texts('ab', '', 'abcdefghijk', 'abcd', 'hello', '7'),
      };
    },
  ),
};

const truncate: Family = {
  name: 'truncate',
  entries: ['shorten', 'cutText', 'truncate'],
  behaviours: pairs(span(3, 9), ['...', '~', '+']).map(
    ([size, mark]): Behaviour => ({
      key: `${size}-${markName(mark)}`,
      statement: `Cut text to ${size} characters and add '${mark}' if it was longer.`,
      params: [text],
      returns: aString,
      bodies: [
        `return text.length > ${size} ? text.slice(0, ${size}) + '${mark}' : text;`,
        `if (text.length <= ${size}) return text;\nreturn text.slice(0, ${size}) + '${mark}';`,
        `return text.length <= ${size} ? text : text.slice(0, ${size}) + '${mark}';`,
      ],
      wasteful: [
        `const head = [...text].slice(0, ${size}).join('');\nreturn text.length > ${size} ? head + '${mark}' : head;`,
      ],
      cases: texts(
        'abcdefghijklm',
        '',
        'ab',
        'x'.repeat(size),
        'y'.repeat(size + 1),
        'hello world',
      ),
    }),
  ),
};

const marks = ['-', '_', '.', ',', ' ', '/'];

const swapMarks: Family = {
  name: 'swap-marks',
  entries: ['swapMarks', 'rewrite', 'changeTo'],
  behaviours: pairs(marks, marks)
    .filter(([from, to]) => from !== to)
    .map(
      ([from, to]): Behaviour => ({
        key: `${markName(from)}-to-${markName(to)}`,
        statement: `Replace every '${from}' with '${to}'.`,
        params: [text],
        returns: aString,
        bodies: [
          `return text.replaceAll('${from}', '${to}');`,
          `return text.split('${from}').join('${to}');`,
          `const parts = text.split('${from}');\nreturn parts.join('${to}');`,
        ],
        wasteful: [
          `let result = '';\nfor (const char of text) {\n  result = result + (char === '${from}' ? '${to}' : char);\n}\nreturn result;`,
        ],
        cases: texts(`a${from}b${from}c`, '', from, `${to}x${from}`, 'abc', `${from}${from}end`),
      }),
    ),
};

const enclose: Family = {
  name: 'enclose',
  entries: ['enclose', 'wrap', 'quote'],
  behaviours: pairs(['[', '(', '<', '*', '#'], [']', ')', '>', '*', '#']).map(
    ([open, close]): Behaviour => ({
      key: `${markName(open)}-${markName(close)}`,
      statement: `Put text between '${open}' and '${close}'.`,
      params: [text],
      returns: aString,
      bodies: [
        `return '${open}' + text + '${close}';`,
        `return \`${open}\${text}${close}\`;`,
        `return ['${open}', text, '${close}'].join('');`,
      ],
      wasteful: [
        `let result = '${open}';\nfor (const char of text) result = result + char;\nreturn result + '${close}';`,
      ],
      cases: texts('abc', '', 'x', 'two words', `${open}${close}`),
    }),
  ),
};

const cases = [
  { word: 'Upper', method: 'toUpperCase' },
  { word: 'Lower', method: 'toLowerCase' },
];

const changeCase: Family = {
  name: 'change-case',
  entries: ['recase', 'restyle', 'adjust'],
  behaviours: pairs(pairs(cases, ['first', 'last']), span(2, 6)).map(
    ([[{ word, method }, end], size]): Behaviour => {
      const [head, tail] =
        end === 'first'
          ? [`text.slice(0, ${size}).${method}()`, `text.slice(${size})`]
          : [`text.slice(0, -${size})`, `text.slice(-${size}).${method}()`];
      return {
        key: `${word.toLowerCase()}-${end}-${size}`,
        statement: `${word}-case the ${end} ${size} letters of text.`,
        params: [text],
        returns: aString,
        bodies: [
          `return ${head} + ${tail};`,
          `const head = ${head};\nreturn head + ${tail};`,
          `return \`\${${head}}\${${tail}}\`;`,
        ],
        cases: texts('hello World', '', 'x', 'ABCDEFGH', 'abcdefgh', 'Ab'),
      };
    },
  ),
};

export const stringFamilies: Family[] = [repeatText, pad, truncate, swapMarks, enclose, changeCase];
