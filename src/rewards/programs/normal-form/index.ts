// Normal forms of programs in any language.

import type { Prompt } from '../../../records/prompts.ts';
import { readPythonTexts } from '../python.ts';
import { withoutTypes } from '../typescript.ts';
import { normalFormOf } from './javascript.ts';

/**
 * One normal form per program: equal if programs differ only in layout, comments and local names.
 * Null if a program does not parse.
 */
export async function normalFormsOf(
  prompts: readonly Prompt[],
  texts: readonly string[],
): Promise<(string | null)[]> {
  const isPython = (_: unknown, index: number) => prompts[index]!.language === 'python';
  const forms = await readPythonTexts(
    'normal_form',
    texts.filter(isPython).map((text) => [text]),
  );
  const scripts = await withoutTypes(prompts, texts);
  return scripts.map((text, index) =>
    isPython(text, index) ? forms.shift()! : normalFormOf(text),
  );
}
