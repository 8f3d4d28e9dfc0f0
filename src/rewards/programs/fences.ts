// Finds the program in a chat model's answer, which is prose with Markdown fences (CommonMark 0.31.2,
// section 4.5). A fence may be indented further than there, as in lists.

import { type Comment, tokenizer, tokTypes } from 'acorn';
import type { Prompt } from '../../records/prompts.ts';
import { definitionOf } from './definitions.ts';
import { ecmaVersion } from './parse.ts';

type Language = Prompt['language'];

/** What models call a language after the opening fence. */
const labels: Record<Language, readonly string[]> = {
  javascript: ['javascript', 'js', 'mjs', 'cjs', 'node'],
  typescript: ['typescript', 'ts', 'mts', 'cts'],
  python: ['python', 'python3', 'py', 'py3'],
};

/** A block between two fences, or to the end of the text. */
export interface FencedBlock {
  text: string;
  /** Whether its opening fence is in the text before the answer. */
  isOpenedBefore: boolean;
}

interface Block {
  /** Lines of the whole text, from 0; the last is the one of the closing fence. */
  first: number;
  last: number;
  indent: number;
  marker: string;
  label: string;
  lines: string[];
  isClosed: boolean;
}

/** Indentation, marker and label; after backticks no other backtick may follow on the line. */
const openingFence = /^([ \t]*)(`{3,}(?!`)(?!.*`)|~{3,})[ \t]*(\w*)/;
const anyFence = /^[ \t]*(?:```|~~~)/gm;

type Asked = Pick<Prompt, 'entry' | 'language' | 'continues'>;

/**
 * The block of an answer that holds its program: of the complete ones the last in the prompt's
 * language, else the last; those that define the entry go before all others. If none is complete, the
 * one that is not closed. Blocks without text do not count.
 * @param before what the model continued: the answer may begin inside of a block that it opened
 * @returns null if the answer is a program as it stands: no fence is outside of its strings and
 *   comments
 */
export function programBlock(asked: Asked, before: string, answer: string): FencedBlock | null {
  const start = before.split('\n').length - 1;
  const all = blocksOf(before + answer).filter(({ last }) => last >= start);
  const isOpenedBefore = ({ first }: Block) => first < start;
  const [first] = all;
  if (!first) return null;
  if (!isOpenedBefore(first)) {
    if (fenceOutsideOfText(answer, asked.language) === null) return null;
    const text = answer
      .split('\n')
      .slice(0, first.first - start)
      .join('\n');
    const block = closesNothing(first, all, text, asked)
      ? programBlock(asked, `${first.marker}\n`, answer)
      : null;
    if (block) return { ...block, isOpenedBefore: false };
  }
  const blocks = all.filter(hasText);
  const complete = blocks.filter(({ isClosed }) => isClosed);
  const defining = complete.filter((block) => definitionOf(asked, textOf(block)));
  const best = defining.length > 0 ? defining : complete;
  const block =
    best.findLast(({ label }) => labels[asked.language].includes(label)) ??
    best.at(-1) ??
    blocks.findLast(({ marker }) => marker.startsWith('`'));
  return block ? { text: textOf(block), isOpenedBefore: isOpenedBefore(block) } : null;
}

/**
 * Whether the first fence of an answer is a closing one, since models leave out the opening: it has no
 * label, and the text before it defines the entry, or it is the only one and nothing follows it. A
 * completion that continues its prompt need not define the entry.
 */
function closesNothing(first: Block, all: readonly Block[], text: string, asked: Asked): boolean {
  if (first.label !== '' || text.trim() === '') return false;
  if (definitionOf(asked, text)) return true;
  const isOnly = all.length === 1 && !first.isClosed;
  return isOnly && (asked.continues === true || !hasText(first));
}

function hasText({ lines }: Block): boolean {
  return lines.some((line) => line.trim() !== '');
}

function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  let open: Block | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    if (!open) {
      open = blockOpenedBy(line, index);
      if (open) blocks.push(open);
      continue;
    }
    open.last = index;
    open.isClosed = isClosing(line, open);
    if (open.isClosed) open = undefined;
    else open.lines.push(line);
  }
  return blocks;
}

function blockOpenedBy(line: string, first: number): Block | undefined {
  const [found, indent, marker, label] = openingFence.exec(line) ?? [];
  if (found === undefined) return undefined;
  return {
    first,
    last: first,
    indent: indent!.length,
    marker: marker!,
    label: label!.toLowerCase(),
    lines: [],
    isClosed: false,
  };
}

/** A fence of the same kind, at least as long, and indented by at most three columns more. */
function isClosing(line: string, { indent, marker }: Block): boolean {
  const content = line.trim();
  return (
    content.length >= marker.length &&
    content === marker[0]!.repeat(content.length) &&
    line.indexOf(content) <= indent + 3
  );
}

function textOf({ lines, indent, isClosed }: Block): string {
  const text = lines.map((line) => withoutIndent(line, indent)).join('\n');
  return isClosed ? `${text}\n` : text;
}

function withoutIndent(line: string, columns: number): string {
  const indent = line.length - line.trimStart().length;
  return line.slice(Math.min(indent, columns));
}

/** The first line, from 1, that begins with a fence outside of strings and comments; null if none. */
export function fenceOutsideOfText(source: string, language: Language): number | null {
  const fences = [...source.matchAll(anyFence)].map(({ index }) => index);
  if (fences.length === 0) return null;
  const texts = (language === 'python' ? pythonStrings(source) : scriptTexts(source)).values();
  let [start, end] = noText;
  const outside = fences.find((at) => {
    while (end <= at) [start, end] = texts.next().value ?? noMoreText;
    return at <= start;
  });
  return outside === undefined ? null : source.slice(0, outside).split('\n').length;
}

type Range = readonly [start: number, end: number];
const noText: Range = [0, 0];
const noMoreText: Range = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];

/** Comments and parts of template literals, in order; none if the source is no JavaScript or TypeScript. */
function scriptTexts(source: string): Range[] {
  const comments: Comment[] = [];
  const templates: Range[] = [];
  try {
    for (const { type, start, end } of tokenizer(source, { ecmaVersion, onComment: comments }))
      if (type === tokTypes.template) templates.push([start, end]);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [];
  }
  const all = [...templates, ...comments.map(({ start, end }): Range => [start, end])];
  return all.sort(([a], [b]) => a - b);
}

/** Strings in Python, in order; none if one of them is not closed. */
function pythonStrings(source: string): Range[] {
  const strings: Range[] = [];
  const opening = /#.*|"""|'''|["']/g;
  for (let found = opening.exec(source); found; found = opening.exec(source)) {
    const [quote] = found;
    if (quote.startsWith('#')) continue;
    const end = endOfString(source, quote, opening.lastIndex);
    if (end === null) return [];
    strings.push([found.index, end]);
    opening.lastIndex = end;
  }
  return strings;
}

/** A string with one quote ends with its line, unless the line break is escaped. */
function endOfString(source: string, quote: string, start: number): number | null {
  const step = quote.length === 3 ? /\\[\s\S]|"""|'''/g : /\\[\s\S]|["'\n]/g;
  step.lastIndex = start;
  for (let found = step.exec(source); found; found = step.exec(source)) {
    if (found[0] === quote) return step.lastIndex;
    if (found[0] === '\n') return null;
  }
  return null;
}
