// Imports prompt files from other projects, and checks them.

import { writeFile } from 'node:fs/promises';
import { encodeJsonl } from '../../artifacts/jsonl.ts';
import { resolveInput } from '../../config/paths.ts';
import type { Prompt } from '../../records/prompts.ts';
import { checkPrompts } from '../../rewards/check-prompts.ts';
import { importPrompts, type PromptFormat } from '../../rewards/import-prompts.ts';
import { badRows } from '../../rewards/rows.ts';
import { exitCodes } from '../terminal/exit.ts';

export interface ImportOptions {
  format: PromptFormat;
  language: Prompt['language'];
  output: string;
  /** Leave bad rows out, and say so, instead of writing nothing. */
  skipInvalid?: boolean;
}

/**
 * Convert a file of another format to a prompt file.
 * @throws AnnealError InvalidData naming every bad row; nothing is written then
 */
export async function importPromptFile(
  file: string,
  { format, language, output, skipInvalid = false }: ImportOptions,
): Promise<void> {
  const { rows, bad } = await importPrompts(file, format, language);
  const problem = badRows(file, bad, bad.length);
  if (bad.length > 0 && !(skipInvalid && rows.length > 0)) throw problem;
  await writeFile(output, encodeJsonl(rows.map(({ row }) => row)));
  if (bad.length > 0) console.log(`skipped:\n${problem.message}`);
  console.log(`${output}: ${rows.length} prompts. Check them with: anneal data check ${output}`);
}

/** Print the references that fail their tests. @returns the exit code: 1 if any fails */
export async function checkPromptFile(
  file: string,
  { timeLimit }: { timeLimit?: number } = {},
): Promise<number> {
  const path = resolveInput(file, 'prompts');
  const limits = timeLimit === undefined ? {} : { timeLimitMs: timeLimit };
  const { count, broken } = await checkPrompts(path, limits);
  for (const { id, line, why } of broken)
    console.log(`${file}, line ${line}: the reference of '${id}' fails: ${why}`);
  const passing = count - broken.length;
  console.log(`${passing} of ${count} references pass all their tests`);
  return broken.length > 0 ? exitCodes.failed : exitCodes.ok;
}
