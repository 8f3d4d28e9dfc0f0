// Families over text.

import { type Behaviour, type Family, pairs, span } from './task.ts';

const text = { name: 'text', type: 'string', text: 'the text' };
const aString = { type: 'string', text: 'the new text' };
const texts = (...list: string[]) => list.map((entry) => [entry]);
const sentences = texts('one three five', '', 'a', 'the quick brown fox jumps', 'hello world');

const repeatText: Family = {
  name: 'repeat-text',
  entries: ['repeat', 'echo', 'times'],
  behaviours: pairs(span(2, 9), ['-', '+', '/', '.']).map(
    ([times, mark]): Behaviour => ({
      key: `${times}-${mark}`,
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
        key: `${side}-${width}-${fill}`,
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
      key: `${size}-${mark}`,
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

const lengths = [
  { phrase: 'longer than', operator: '>' },
  { phrase: 'shorter than', operator: '<' },
];

const wordsBySize: Family = {
  name: 'words-by-size',
  entries: ['wordsOf', 'sizedWords', 'getWords'],
  behaviours: pairs(pairs(['Keep', 'Count'], lengths), span(2, 6)).map(
    ([[verb, { phrase, operator }], size]): Behaviour => {
      const counts = verb === 'Count';
      const filter = `text.split(' ').filter((word) => word.length ${operator} ${size})`;
      const start = counts ? 'let count = 0;' : 'const result = [];';
      const step = counts ? 'count += 1' : 'result.push(word)';
      return {
        key: `${verb.toLowerCase()}-${phrase.split(' ')[0]}-${size}`,
        statement: `${verb} the words ${phrase} ${size} letters.`,
        params: [text],
        returns: counts
          ? { type: 'number', text: 'the count' }
          : { type: 'string[]', text: 'the words' },
        bodies: [
          `return ${filter}${counts ? '.length' : ''};`,
          `${start}\nfor (const word of text.split(' ')) {\n  if (word.length ${operator} ${size}) ${step};\n}\nreturn ${counts ? 'count' : 'result'};`,
        ],
        wasteful: [
          `let list = [];\nfor (const word of text.split(' ')) {\n  if (word.length ${operator} ${size}) list = [...list, word];\n}\nreturn list${counts ? '.length' : ''};`,
        ],
        cases: [...texts('a bb ccc dddd eeeee ffffff ggggggg', 'word'), ...sentences.slice(0, 4)],
      };
    },
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
        key: `${from}-to-${to}`,
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

const letters = ['a', 'e', 'i', 'o', 's', 't', 'n', 'r', 'l', 'd'];

const countLetter: Family = {
  name: 'count-letter',
  entries: ['countOf', 'occurs', 'frequency'],
  behaviours: letters.map(
    (letter): Behaviour => ({
      key: letter,
      statement: `Count how often '${letter}' is in text.`,
      params: [text],
      returns: { type: 'number', text: 'the count' },
      bodies: [
        `return text.split('${letter}').length - 1;`,
        `let count = 0;\nfor (const char of text) {\n  if (char === '${letter}') count += 1;\n}\nreturn count;`,
        `return [...text].filter((char) => char === '${letter}').length;`,
      ],
      wasteful: [
        `let list = [];\nfor (const char of text) {\n  if (char === '${letter}') list = [...list, char];\n}\nreturn list.length;`,
      ],
      cases: texts(letter, '', `${letter}x${letter}`, 'no lions darted in east trails', 'zzz'),
    }),
  ),
};

const ends = [
  { end: 'first', range: (size: number) => `0, ${size}` },
  { end: 'last', range: (size: number) => `-${size}` },
];

const shortWords: Family = {
  name: 'short-words',
  entries: ['initials', 'abbrev', 'shortForm'],
  behaviours: pairs(pairs(ends, span(2, 4)), ['-', '.', '+']).map(
    ([[{ end, range }, size], mark]): Behaviour => ({
      key: `${end}-${size}-${mark}`,
      statement: `Join the ${end} ${size} letters of each word by '${mark}'.`,
      params: [text],
      returns: aString,
      bodies: [
        `const words = text.split(' ');\nreturn words.map((word) => word.slice(${range(size)})).join('${mark}');`,
        `const result = [];\nfor (const word of text.split(' ')) {\n  result.push(word.slice(${range(size)}));\n}\nreturn result.join('${mark}');`,
      ],
      wasteful: [
        `let list = [];\nfor (const word of text.split(' ')) list = [...list, word.slice(${range(size)})];\nreturn list.join('${mark}');`,
      ],
      cases: sentences,
    }),
  ),
};

const enclose: Family = {
  name: 'enclose',
  entries: ['enclose', 'wrap', 'quote'],
  behaviours: pairs(['[', '(', '<', '*', '#'], [']', ')', '>', '*', '#']).map(
    ([open, close]): Behaviour => ({
      key: `${open}-${close}`,
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
  behaviours: pairs(pairs(cases, ends), span(2, 6)).map(
    ([[{ word, method }, { end }], size]): Behaviour => {
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

const affixes = [
  {
    phrase: 'starts with',
    method: 'startsWith',
    compare: (s: string) => `text.slice(0, ${s.length}) === '${s}'`,
  },
  {
    phrase: 'ends with',
    method: 'endsWith',
    compare: (s: string) => `text.slice(-${s.length}) === '${s}'`,
  },
  { phrase: 'contains', method: 'includes', compare: (s: string) => `text.indexOf('${s}') !== -1` },
];

const affix: Family = {
  name: 'affix',
  entries: ['matches', 'checkText', 'isMatch'],
  behaviours: pairs(affixes, ['re', 'un', 'in', 'ed', 'on', 'at', 'or', 'is']).map(
    ([{ phrase, method, compare }, part]): Behaviour => ({
      key: `${method}-${part}`,
      statement: `Tell whether text ${phrase} '${part}'.`,
      params: [text],
      returns: { type: 'boolean', text: 'whether it does' },
      bodies: [`return text.${method}('${part}');`, `return ${compare(part)};`],
      wasteful: [
        `const found = [...text].map((_, i) => text.slice(0, i)).length;\nreturn found > 0 && text.${method}('${part}');`,
      ],
      cases: texts(part, '', `${part}x`, `x${part}`, `a${part}b`, 'zzz'),
    }),
  ),
};

export const stringFamilies: Family[] = [
  repeatText,
  pad,
  truncate,
  wordsBySize,
  swapMarks,
  countLetter,
  shortWords,
  enclose,
  changeCase,
  affix,
];
