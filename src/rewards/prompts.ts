// Reads prompt files: one JSON object per line, each checked. Whether a prompt's reference passes
// its tests is checked when the prompt is first scored.

import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { AnnealError, withoutExcerpt } from '../errors.ts';
import { parseExactJson } from '../records/exact-json.ts';
import { type Prompt, promptSchema } from '../records/prompts.ts';

/**
 * The prompts of a JSONL file, in order; empty lines are skipped.
 * @throws AnnealError InvalidData naming file and line: not readable, not JSON, not a prompt, a
 * repeated id, or no prompt at all.
 */
export async function readPrompts(path: string): Promise<Prompt[]> {
  const lineOfId = new Map<string, number>();
  const prompts = await readRows(path, promptSchema);
  for (const { row, line } of prompts) {
    const before = lineOfId.get(row.id);
    if (before !== undefined)
      throw invalid(path, line, `id '${row.id}' is also used on line ${before}; choose another`);
    lineOfId.set(row.id, line);
  }
  return prompts.map(({ row }) => row);
}

/** A row and its line number, from 1. */
export interface NumberedRow<T> {
  row: T;
  line: number;
}

/**
 * The rows of a JSONL file, checked by `schema`, with their line numbers.
 * @throws AnnealError InvalidData, as `readPrompts`.
 */
export async function readRows<S extends z.ZodType>(
  path: string,
  schema: S,
): Promise<NumberedRow<z.output<S>>[]> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    const why = (cause as Error).message;
    throw new AnnealError('InvalidData', `${path}: expected a readable file, found: ${why}`, {
      cause,
    });
  });
  const rows = text
    .split('\n')
    .flatMap((content, index) =>
      content.trim() === ''
        ? []
        : [{ row: parseRow(path, index + 1, content, schema), line: index + 1 }],
    );
  if (rows.length > 0) return rows;
  throw new AnnealError('InvalidData', `${path}: expected one JSON object per line, found none`);
}

function parseRow<S extends z.ZodType>(
  path: string,
  line: number,
  content: string,
  schema: S,
): z.output<S> {
  let value: unknown;
  try {
    value = parseExactJson(content);
  } catch (cause) {
    // Never an excerpt: the file may be another one, with secrets, and messages reach the server.
    const reason = withoutExcerpt((cause as Error).message);
    throw invalid(path, line, `expected one JSON object, but it is not JSON: ${reason}`, cause);
  }
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw invalid(path, line, `${issue?.path.join('.') || 'the row'}: ${issue?.message}`);
}

/** An error about one line of a file. */
export function invalid(path: string, line: number, what: string, cause?: unknown): AnnealError {
  return new AnnealError('InvalidData', `${path}, line ${line}: ${what}`, { cause });
}
