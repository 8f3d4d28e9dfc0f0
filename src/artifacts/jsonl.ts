// Lists of records as lines of JSON. Readers check the records themselves.

import { AnnealError } from '../errors.ts';

/** One line of JSON for each row, with keys in the row's order. */
export function encodeJsonl(rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/**
 * The rows of a JSONL text; empty lines are skipped.
 * @throws AnnealError InvalidData naming `name` and the line that is not JSON.
 */
export function decodeJsonl<T>(text: string, name: string): T[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    try {
      return [JSON.parse(line) as T];
    } catch (cause) {
      throw new AnnealError(
        'InvalidData',
        `${name}, line ${index + 1}: expected one JSON value, found ${JSON.stringify(line.slice(0, 60))}`,
        { cause },
      );
    }
  });
}
