// Checks that the prompts of a file can be trained on: every reference must pass its own tests.

import { rubricSchema } from '../config/schema/rewards/rubric.ts';
import { promptSchema } from '../records/prompts.ts';
import { readPrompts, readRows } from './prompts.ts';
import { review } from './rubric/review.ts';

/** A prompt whose reference fails its own tests, and its line in the file. */
export interface BrokenPrompt {
  id: string;
  line: number;
  why: string;
}

/**
 * Run every reference of a prompt file, within the rubric's own limits.
 * @returns the number of prompts, and the broken ones in file order.
 * @throws AnnealError InvalidData naming file and line if the file cannot be read.
 */
export async function checkPrompts(
  path: string,
): Promise<{ count: number; broken: BrokenPrompt[] }> {
  await readPrompts(path);
  const rows = await readRows(path, promptSchema);
  const { time_limit_ms: timeLimitMs, memory_limit_mb: memoryLimitMb } = rubricSchema.parse({
    kind: 'rubric',
  });
  const items = rows.map(({ row }) => ({ prompt: row, completion: row.reference }));
  const reviews = await review(items, { timeLimitMs, memoryLimitMb });
  const broken = rows.flatMap(({ row: { id }, line }, index) => {
    const found = reviews[index]!;
    const why = 'failed' in found ? found.failed : found.verdict.failure;
    return why === undefined ? [] : [{ id, line, why }];
  });
  return { count: rows.length, broken };
}
