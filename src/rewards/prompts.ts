// Reads prompt files. Whether a prompt's reference passes its tests is checked when the prompt is
// first scored.

import { type Prompt, promptSchema } from '../records/prompts.ts';
import { type BadRow, badRows, type NumberedRow, readRows } from './rows.ts';

/**
 * The prompts of a file, in order.
 * @throws AnnealError InvalidData naming the file and each bad row: not JSON, not a prompt, or with a
 * repeated id; or the file if it cannot be read or has no row
 */
export async function readPrompts(path: string): Promise<Prompt[]> {
  return (await readNumberedPrompts(path)).map(({ row }) => row);
}

/** As `readPrompts`, with their lines. */
export async function readNumberedPrompts(path: string): Promise<NumberedRow<Prompt>[]> {
  const prompts = await readRows(path, promptSchema);
  const repeated = repeatedIds(prompts);
  if (repeated.length > 0) throw badRows(path, repeated);
  return prompts;
}

/** The prompts whose id an earlier one has. */
export function repeatedIds(prompts: readonly NumberedRow<Prompt>[]): BadRow[] {
  const lineOfId = new Map<string, number>();
  return prompts.flatMap(({ row: { id }, line }) => {
    const before = lineOfId.get(id);
    if (before !== undefined)
      return [{ line, why: `id '${id}' is also used on line ${before}; choose another` }];
    lineOfId.set(id, line);
    return [];
  });
}
