// Lists of records as lines of JSON. Readers check the records themselves.

import { AnnealError, withoutExcerpt } from '../errors.ts';

/** One line of JSON for each row, with keys in the row's order. */
export function encodeJsonl(
  rows: readonly unknown[],
  toJson: (row: unknown) => string = (row) => JSON.stringify(row),
): string {
  return rows.map((row) => `${toJson(row)}\n`).join('');
}

/**
 * The rows of a JSONL text; empty lines are skipped.
 * @throws AnnealError InvalidData naming `name` and the line that is not JSON.
 */
export function decodeJsonl<T>(
  text: string,
  name: string,
  parse: (line: string) => unknown = (line) => JSON.parse(line),
): T[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    try {
      return [parse(line) as T];
    } catch (cause) {
      throw new AnnealError(
        'InvalidData',
        `${name}, line ${index + 1}: expected one JSON value: ${withoutExcerpt((cause as Error).message)}`,
        { cause },
      );
    }
  });
}
