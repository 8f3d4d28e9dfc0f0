// Whether the prompts of a file can be trained on: every reference must pass its own tests.

import { promptSchema } from '../config/records.ts';
import { rewardSchema } from '../config/schema.ts';
import { readPrompts, readRows } from './prompts.ts';
import { reviewers } from './rubric/review.ts';
import { sharedSandbox } from './sandbox/sandbox.ts';

/** A prompt whose reference fails its own tests, by the line that it stands on. */
export interface BrokenPrompt {
  id: string;
  line: number;
  why: string;
}

/**
 * Run every reference of a prompt file, within the rubric's own limits.
 * @returns the number of prompts, and those that are broken, in their order.
 * @throws AnnealError InvalidData naming file and line, where the file itself cannot be read.
 */
export async function checkPrompts(
  path: string,
): Promise<{ count: number; broken: BrokenPrompt[] }> {
  await readPrompts(path);
  const rows = await readRows(path, promptSchema);
  const broken = await Promise.all([
    brokenIn(rows.filter(({ row }) => row.language === 'javascript')),
    brokenIn(rows.filter(({ row }) => row.language === 'python')),
  ]);
  return { count: rows.length, broken: broken.flat().sort((a, b) => a.line - b.line) };
}

type Rows = Awaited<ReturnType<typeof readRows<typeof promptSchema>>>;

async function brokenIn(rows: Rows): Promise<BrokenPrompt[]> {
  const [first] = rows;
  if (!first) return [];
  const { language } = first.row;
  const rubric = rewardSchema.parse({ kind: 'rubric' });
  if (rubric.kind !== 'rubric') return [];
  const limits = { timeLimitMs: rubric.time_limit_ms, memoryLimitMb: rubric.memory_limit_mb };
  const items = rows.map(({ row }) => ({ prompt: row, completion: row.reference }));
  const reviews = await reviewers[language](items, sharedSandbox(limits, language), undefined);
  return rows.flatMap(({ row: { id }, line }, index) => {
    const review = reviews[index]!;
    const why = 'failed' in review ? review.failed : review.verdict.failure;
    return why === undefined ? [] : [{ id, line, why }];
  });
}
