// Reads the rows of a data file: JSONL, or one JSON array. Bad rows are separated from good ones, and
// reported by their lines.

import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { z } from 'zod';
import { AnnealError } from '../errors.ts';
import { elementsOf, JsonFault, parseStrictJson } from '../records/strict-json.ts';

/** A row and its line number, from 1. */
export interface NumberedRow<T> {
  row: T;
  line: number;
}

/** What is wrong with the row that begins on a line. */
export interface BadRow {
  line: number;
  why: string;
}

/** The good rows of a file, in order, and the bad ones. */
export interface SortedRows<T> {
  rows: NumberedRow<T>[];
  bad: BadRow[];
}

/** Lines of an error about bad rows; with more, a file is likely of another kind. */
const mostNamed = 20;

/**
 * The rows of a file, checked by `schema`, with their line numbers; empty lines are skipped.
 * @throws AnnealError InvalidData naming the file and each bad row, or why there is no row
 */
export async function readRows<S extends z.ZodType>(
  path: string,
  schema: S,
): Promise<NumberedRow<z.output<S>>[]> {
  const { rows, bad } = await sortRows(path, schema);
  if (bad.length > 0) throw badRows(path, bad);
  return rows;
}

/**
 * As `readRows`, with the bad rows apart.
 * @throws AnnealError InvalidData if the file cannot be read or has no row
 */
export async function sortRows<S extends z.ZodType>(
  path: string,
  schema: S,
): Promise<SortedRows<z.output<S>>> {
  const texts = rowTexts(path, await readText(path));
  if (texts.length === 0)
    throw new AnnealError('InvalidData', `${path}: expected one JSON object per line, found none`);
  const rows: NumberedRow<z.output<S>>[] = [];
  const bad: BadRow[] = [];
  for (const { text, line } of texts) {
    const read = readRow(text, line, schema);
    if ('why' in read) bad.push(read);
    else rows.push(read);
  }
  return { rows, bad };
}

/** An error about one line of a file. */
export function invalid(path: string, line: number, what: string): AnnealError {
  return badRows(path, [{ line, why: what }]);
}

/** An error about all bad rows of a file; those that follow each other with one reason share a line. */
export function badRows(path: string, bad: readonly BadRow[], most = mostNamed): AnnealError {
  const groups: (BadRow & { last: number; count: number })[] = [];
  for (const { line, why } of bad) {
    const group = groups.at(-1);
    if (group?.why !== why) groups.push({ line, why, last: line, count: 1 });
    else Object.assign(group, { last: line, count: group.count + 1 });
  }
  const named = groups.slice(0, most).map(({ line, last, why }) => {
    const place = line === last ? `line ${line}` : `lines ${line} to ${last}`;
    return `${path}, ${place}: ${why}`;
  });
  const left = groups.slice(most).reduce((sum, { count }) => sum + count, 0);
  const rest = left > 0 ? [`and ${left} more rows`] : [];
  return new AnnealError('InvalidData', [...named, ...rest].join('\n'));
}

/** @throws AnnealError InvalidData if it is not readable, or not text in UTF-8 */
async function readText(path: string): Promise<string> {
  const bytes = await readFile(path)
    .then(unpacked)
    .catch((cause) => {
      const why = (cause as Error).message;
      throw new AnnealError('InvalidData', `${path}: expected a readable file, found: ${why}`, {
        cause,
      });
    });
  if (/^(fffe|feff)/.test(bytes.toString('hex', 0, 2)))
    throw new AnnealError('InvalidData', `${path}: expected UTF-8, found UTF-16; save it as UTF-8`);
  try {
    // This skips a byte order mark.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const line = lineThatIsNotText(bytes);
    const what = `${path}, line ${line}: expected UTF-8, found other bytes; save the file as UTF-8`;
    throw new AnnealError('InvalidData', what, { cause });
  }
}

/** The content of a file that gzip packed. */
async function unpacked(bytes: Buffer): Promise<Buffer> {
  return bytes.toString('hex', 0, 2) === '1f8b'
    ? promisify(gunzip)(bytes, { maxOutputLength: 2 ** 29 })
    : bytes;
}

function lineThatIsNotText(bytes: Buffer): number {
  for (let line = 1, start = 0; ; line++) {
    const end = bytes.indexOf('\n', start);
    if (end < 0 || !isUtf8(bytes.subarray(start, end))) return line;
    start = end + 1;
  }
}

interface RowText {
  text: string;
  /** Where it begins, from 1. */
  line: number;
}

/** @throws AnnealError InvalidData for an array that is broken */
function rowTexts(path: string, text: string): RowText[] {
  if (text.trimStart().startsWith('[')) {
    try {
      return numbered(text, elementsOf(text));
    } catch (error) {
      if (!(error instanceof JsonFault)) throw error;
      throw invalid(path, linesBefore(text, error.at ?? 0) + 1, error.message);
    }
  }
  return text
    .split('\n')
    .map((content, index) => ({ text: content, line: index + 1 }))
    .filter((row) => row.text.trim() !== '');
}

function numbered(text: string, elements: ReturnType<typeof elementsOf>): RowText[] {
  let line = 1;
  let counted = 0;
  return elements.map((element) => {
    line += linesBefore(text.slice(counted, element.at));
    counted = element.at;
    return { text: element.text, line };
  });
}

function readRow<S extends z.ZodType>(
  text: string,
  line: number,
  schema: S,
): NumberedRow<z.output<S>> | BadRow {
  try {
    const checked = schema.safeParse(parseStrictJson(text));
    return checked.success
      ? { row: checked.data, line }
      : { line, why: explained(checked.error.issues) };
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const at = error.at ?? 0;
    const before = linesBefore(text, at);
    const column = at - (text.lastIndexOf('\n', at - 1) + 1) + 1;
    const place = error.at === null || before > 0 ? '' : `column ${column}: `;
    return { line: line + before, why: `${place}${error.message}` };
  }
}

/** What is wrong with a row. Keys that are unknown are named only in a row that has nothing else wrong: it may be no such row. */
export function explained(issues: readonly z.core.$ZodIssue[]): string {
  const known = issues.filter(({ code }) => code !== 'unrecognized_keys');
  return (known.length > 0 ? known : issues)
    .map(({ path, message }) => `${path.join('.') || 'the row'}: ${message}`)
    .join('; ');
}

function linesBefore(text: string, end = text.length): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
