// `anneal data`: prompt files made out of those of other projects, and checked.

import { writeFile } from 'node:fs/promises';
import { encodeJsonl } from '../../artifacts/jsonl.ts';
import { resolveInput } from '../../config/paths.ts';
import type { Prompt } from '../../records/prompts.ts';
import { checkPrompts } from '../../rewards/check-prompts.ts';
import { importPrompts, type PromptFormat } from '../../rewards/import-prompts.ts';
import { exitCodes } from '../terminal/exit.ts';

/** Write a prompt file out of a file of another format. @throws AnnealError InvalidData */
export async function importCommand(
  file: string,
  {
    format,
    language,
    output,
  }: { format: PromptFormat; language: Prompt['language']; output: string },
): Promise<number> {
  const prompts = await importPrompts(file, format, language);
  await writeFile(output, encodeJsonl(prompts));
  console.log(`${output}: ${prompts.length} prompts; check them with: anneal data check ${output}`);
  return exitCodes.ok;
}

/** Say which references fail their tests; exit code 1 where any does. @throws as checkPrompts. */
export async function checkCommand(file: string): Promise<number> {
  const path = resolveInput(file, 'prompts');
  const { count, broken } = await checkPrompts(path);
  for (const { id, line, why } of broken)
    console.log(`${file}, line ${line}: the reference of '${id}' fails: ${why}`);
  const passing = count - broken.length;
  console.log(`${passing} of ${count} references pass all of their tests`);
  return broken.length > 0 ? exitCodes.failed : exitCodes.ok;
}
