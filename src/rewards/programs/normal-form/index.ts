// Normal forms of programs in the language of their prompts; those of Python are made in a sandbox.

import type { Prompt } from '../../../records/prompts.ts';
import { sharedSandbox } from '../../sandbox/sandbox.ts';
import { withoutTypes } from '../typescript.ts';
import { normalFormOf } from './javascript.ts';

/** A sandbox for reading programs, which is quick, in their own language. */
const limits = { timeLimitMs: 500, memoryLimitMb: 64 };

/** What a function of the analysis module says of each program; null where it says nothing. */
export async function readPython(
  entry: 'normal_form' | 'printed',
  calls: readonly unknown[][],
): Promise<(string | null)[]> {
  if (calls.length === 0) return [];
  const programs = calls.map((args) => ({
    source: `from _anneal.printing import ${entry}`,
    entry,
    calls: [JSON.stringify(args)],
  }));
  const outcomes = await sharedSandbox(limits, 'python').run(programs);
  return outcomes.map(([outcome]) =>
    outcome && 'returned' in outcome ? (JSON.parse(outcome.returned) as string | null) : null,
  );
}

/** A text for each program that those which differ in layout and local names alone have in common. */
export async function normalFormsOf(
  prompts: readonly Prompt[],
  texts: readonly string[],
): Promise<(string | null)[]> {
  const isPython = (_: unknown, index: number) => prompts[index]!.language === 'python';
  const forms = await readPython(
    'normal_form',
    texts.filter(isPython).map((text) => [text]),
  );
  const scripts = await withoutTypes(prompts, texts);
  return scripts.map((text, index) =>
    isPython(text, index) ? forms.shift()! : normalFormOf(text),
  );
}
