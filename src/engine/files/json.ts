// Parses and checks the JSON files of a model folder.

import { z } from 'zod';
import { AnnealError, withoutExcerpt } from '../../errors.ts';

/** Parse a file's text. @throws AnnealError InvalidModel naming the file */
export function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = withoutExcerpt((cause as Error).message);
    throw new AnnealError('InvalidModel', `${file}: not JSON: ${reason}`, { cause });
  }
}

/** Parse a file's text and check it. @throws AnnealError InvalidModel naming the file */
export function parseJsonAs<T extends z.ZodType>(file: string, text: string, schema: T) {
  const value = parseJson(file, text);
  checkDepth(file, value);
  return checkJson(file, value, schema);
}

/** Most lists and objects within each other; what writes them calls itself for each. */
const maxDepth = 200;

function checkDepth(file: string, value: unknown): void {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth)
      throw new AnnealError(
        'InvalidModel',
        `${file}: expected at most ${maxDepth} lists and objects within each other, found more; check that it is the file that its name says`,
      );
    level = level.flatMap((inner) =>
      typeof inner === 'object' && inner !== null ? Object.values(inner) : [],
    );
  }
}

/** Check a file's value against a schema. @throws AnnealError InvalidModel naming the file */
export function checkJson<T extends z.ZodType>(
  file: string,
  value: unknown,
  schema: T,
): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new AnnealError('InvalidModel', `${file}: ${z.prettifyError(parsed.error)}`);
}
