// JSON of files that people write. What JSON.parse takes in silence and loses is refused, and what it
// refuses is explained by its place, never by an excerpt: the file may be another one, with secrets.

import { parseExactJson } from './exact-json.ts';

/** Levels of brackets; whatever walks a value later recurses. */
const mostLevels = 200;

/** Why a text is not JSON, or not such that it can be held. */
export class JsonFault extends Error {
  override readonly name = 'JsonFault';
  /** Where, in characters from the start of the text; null if that is not known. */
  readonly at: number | null;

  constructor(message: string, at: number | null) {
    super(message);
    this.at = at;
  }
}

/**
 * The value of a JSON text, with whole numbers of any size. @throws JsonFault also for a key that an
 * object has twice, `__proto__`, numbers beyond a double's range, and more than 200 levels
 */
export function parseStrictJson(text: string): unknown {
  checkTokens(text);
  try {
    return parseExactJson(text);
  } catch (error) {
    const [, position] = /at position (\d+)/.exec((error as Error).message) ?? [];
    throw new JsonFault('expected JSON, found something else', position ? Number(position) : null);
  }
}

/** The texts of a JSON array's elements, and where each begins. @throws JsonFault */
export function elementsOf(text: string): { text: string; at: number }[] {
  const elements: { text: string; at: number }[] = [];
  let depth = 0;
  let first: Token | undefined;
  let last: Token | undefined;
  for (const token of tokensOf(text)) {
    const isSeparator = depth === 1 && (token.text === ',' || token.text === ']');
    if (isSeparator && first && last)
      elements.push({ text: text.slice(first.at, last.at + last.text.length), at: first.at });
    if (isSeparator) first = undefined;
    else if (depth === 1) first ??= token;
    else if (depth === 0 && elements.length > 0)
      throw new JsonFault('expected the end of the file after the array, found more', token.at);
    last = token;
    depth += stepOf(token);
  }
  if (depth > 0) throw new JsonFault('the array that begins here is not closed', text.indexOf('['));
  return elements;
}

const isWord = /^[^"[\]{}:,]/;
const isStart = /^[^\]}:,]/;
const isEnd = /^[^[{:,]/;

interface Token {
  text: string;
  at: number;
}

const stepOf = ({ text }: Token) =>
  text === '{' || text === '[' ? 1 : text === '}' || text === ']' ? -1 : 0;

/** Brackets, separators, strings with their quotes, and words: all that is between them. */
function* tokensOf(text: string): Generator<Token> {
  const beginning = /[[\]{}:,"]|[^\s[\]{}:,"]+/g;
  for (let found = beginning.exec(text); found; found = beginning.exec(text)) {
    if (found[0] === '"') beginning.lastIndex = endOfString(text, found.index);
    yield { text: text.slice(found.index, beginning.lastIndex), at: found.index };
  }
}

/** @throws JsonFault */
function endOfString(text: string, start: number): number {
  const step = /\\.|["\n]/g;
  step.lastIndex = start + 1;
  for (let found = step.exec(text); found; found = step.exec(text)) {
    if (found[0] === '"') return step.lastIndex;
    if (found[0] === '\n') break;
  }
  throw new JsonFault('the text that begins here is not closed on its line', start);
}

/** Words of other languages, and what to write instead. */
const foreignWords: Record<string, string> = {
  NaN: 'null or a text',
  Infinity: 'null or a text',
  '-Infinity': 'null or a text',
  nan: 'null or a text',
  inf: 'null or a text',
  undefined: 'null',
  None: 'null',
  True: 'true',
  False: 'false',
};

/** @throws JsonFault */
function checkTokens(text: string): void {
  /** The keys of the objects that are open; null for arrays. */
  const open: (Set<string> | null)[] = [];
  let before: Token | undefined;
  for (const token of tokensOf(text)) {
    if (stepOf(token) > 0) open.push(token.text === '{' ? new Set() : null);
    if (open.length > mostLevels)
      throw new JsonFault(`nested more than ${mostLevels} levels deep`, token.at);
    if (stepOf(token) < 0) {
      open.pop();
      if (before?.text === ',')
        throw new JsonFault(`expected no comma before ${token.text}`, before.at);
    }
    if (token.text === ':' && before) addKey(open.at(-1), before);
    if (isWord.test(token.text)) checkWord(token.text, token.at);
    if (before && isEnd.test(before.text) && isStart.test(token.text))
      throw new JsonFault('expected a comma, a colon or the end of the line', token.at);
    before = token;
  }
  if (before && open.length > 0)
    throw new JsonFault(
      'ends before the object or array does; if rows have several lines, put them into one array, or each on one line (jq -c . FILE)',
      text.length,
    );
}

function addKey(keys: Set<string> | null | undefined, { text, at }: Token): void {
  if (!keys || !text.startsWith('"')) return;
  const key = keyOf(text);
  if (key === '__proto__')
    throw new JsonFault(
      "expected another key, found '__proto__', which JavaScript cannot hold",
      at,
    );
  if (keys.has(key))
    throw new JsonFault('the object has this key before; remove one of the two', at);
  keys.add(key);
}

function keyOf(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return text;
  }
}

function checkWord(text: string, at: number): void {
  const instead = Object.hasOwn(foreignWords, text) ? foreignWords[text] : undefined;
  if (instead !== undefined)
    throw new JsonFault(`found ${text}, which JSON does not have; write ${instead}`, at);
  if (text.startsWith("'"))
    throw new JsonFault('found a text in single quotes; write it in double quotes', at);
  if (/^(\/\/|\/\*|#)/.test(text))
    throw new JsonFault('found a comment, which JSON does not have; remove it', at);
  if (!/^(true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)$/.test(text))
    throw new JsonFault('expected JSON, found a word that it does not have', at);
  if (/[.eE]/.test(text) && Math.abs(Number(text)) === Number.POSITIVE_INFINITY)
    throw new JsonFault('found a number that a double cannot hold; give it as text', at);
}
