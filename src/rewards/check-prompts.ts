// Checks that the prompts of a file can be trained on: every reference must pass its own tests.

import { tokenizer, tokTypes } from 'acorn';
import { rubricSchema } from '../config/schema/rewards/rubric.ts';
import type { Prompt } from '../records/prompts.ts';
import { ecmaVersion } from './programs/parse.ts';
import { readNumberedPrompts } from './prompts.ts';
import { referenceOf, review } from './rubric/review.ts';
import type { SandboxLimits } from './sandbox/protocol.ts';

/** A prompt whose reference fails its own tests, and its line in the file. */
export interface BrokenPrompt {
  id: string;
  line: number;
  why: string;
}

/** Limits of the rubric for one program with its tests. */
function defaultLimits(): SandboxLimits {
  const { time_limit_ms, memory_limit_mb } = rubricSchema.parse({ kind: 'rubric' });
  return { timeLimitMs: time_limit_ms, memoryLimitMb: memory_limit_mb };
}

/**
 * Run every reference of a prompt file, within the rubric's own limits where none are given.
 * @returns the number of prompts, and the broken ones in file order.
 * @throws AnnealError InvalidData naming file and line if the file cannot be read.
 */
export async function checkPrompts(
  path: string,
  limits: Partial<SandboxLimits> = {},
): Promise<{ count: number; broken: BrokenPrompt[] }> {
  const rows = await readNumberedPrompts(path);
  const items = rows.map(({ row }) => referenceOf(row));
  const reviews = await review(items, { ...defaultLimits(), ...limits });
  const broken = rows.flatMap(({ row, line }, index) => {
    const found = reviews[index]!;
    const failure = 'failed' in found ? found.failed : found.verdict.failure;
    const why = failure ?? roundedLiteral(row);
    return why === undefined ? [] : [{ id: row.id, line, why }];
  });
  return { count: rows.length, broken };
}

/** The first number in a prompt's assertions that JavaScript rounds; Python keeps all digits. */
function roundedLiteral({ language, tests }: Prompt): string | undefined {
  if (language === 'python') return undefined;
  for (const [index, test] of tests.entries()) {
    const rounded = 'assert' in test && wholeNumbersIn(test.assert).find(isRounded);
    if (rounded)
      return `test ${index + 1} of ${tests.length}: expected numbers that ${language} can hold, found ${rounded}, which it rounds to ${BigInt(Number(rounded))}; write ${rounded}n`;
  }
  return undefined;
}

function isRounded(digits: string): boolean {
  return BigInt(Number(digits)) !== BigInt(digits);
}

/** The whole numbers in a text, as they are written; a text that ends in an error is read until there. */
function wholeNumbersIn(text: string): string[] {
  const found: string[] = [];
  try {
    for (const { type, start, end } of tokenizer(text, { ecmaVersion }))
      if (type === tokTypes.num) found.push(text.slice(start, end).replaceAll('_', ''));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return found.filter((digits) => /^(\d+|0[box][\da-f]+)$/i.test(digits));
}
