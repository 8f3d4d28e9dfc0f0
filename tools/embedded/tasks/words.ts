// Families that read text: its words, its letters, how it starts and ends.

import { type Behaviour, type Family, markName, pairs, span } from './task.ts';

const text = { name: 'text', type: 'string', text: 'the text' };
const texts = (...list: string[]) => list.map((entry) => [entry]);
const sentences = texts('one three five', '', 'a', 'the quick brown fox jumps', 'hello world');

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
      key: `${end}-${size}-${markName(mark)}`,
      statement: `Join the ${end} ${size} letters of each word by '${mark}'.`,
      params: [text],
      returns: { type: 'string', text: 'the new text' },
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

export const wordFamilies: Family[] = [wordsBySize, countLetter, shortWords, affix];
