// Imports prompt files from other projects, and checks them.

import { writeFile } from 'node:fs/promises';
import { encodeJsonl } from '../../artifacts/jsonl.ts';
import { resolveInput } from '../../config/paths.ts';
import type { Prompt } from '../../records/prompts.ts';
import { checkPrompts } from '../../rewards/check-prompts.ts';
import { importPrompts, type PromptFormat } from '../../rewards/import-prompts.ts';
import { exitCodes } from '../terminal/exit.ts';

/** Convert a file of another format to a prompt file. @throws AnnealError InvalidData */
export async function importPromptFile(
  file: string,
  {
    format,
    language,
    output,
  }: { format: PromptFormat; language: Prompt['language']; output: string },
): Promise<void> {
  const prompts = await importPrompts(file, format, language);
  await writeFile(output, encodeJsonl(prompts));
  console.log(`${output}: ${prompts.length} prompts. Check them with: anneal data check ${output}`);
}

/** Print the references that fail their tests. @returns the exit code: 1 if any fails */
export async function checkPromptFile(file: string): Promise<number> {
  const path = resolveInput(file, 'prompts');
  const { count, broken } = await checkPrompts(path);
  for (const { id, line, why } of broken)
    console.log(`${file}, line ${line}: the reference of '${id}' fails: ${why}`);
  const passing = count - broken.length;
  console.log(`${passing} of ${count} references pass all their tests`);
  return broken.length > 0 ? exitCodes.failed : exitCodes.ok;
}
