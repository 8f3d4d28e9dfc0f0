// Normal forms of programs in the language of their prompts; those of Python are made in a sandbox.

import type { Prompt } from '../config/records.ts';
import { normalFormOf } from './normal-form.ts';
import { sharedSandbox } from './sandbox/sandbox.ts';

const limits = { timeLimitMs: 500, memoryLimitMb: 64 };

/** A text for each program that those which differ in layout and local names alone have in common. */
export async function normalFormsOf(
  prompts: readonly Prompt[],
  texts: readonly string[],
): Promise<(string | null)[]> {
  const isPython = (_: unknown, index: number) => prompts[index]!.language === 'python';
  const programs = texts.filter(isPython).map((text) => ({
    source: 'from _anneal import normal_form',
    entry: 'normal_form',
    calls: [JSON.stringify([text])],
  }));
  const outcomes = programs.length > 0 ? await sharedSandbox(limits, 'python').run(programs) : [];
  const forms = outcomes.map(([outcome]) =>
    outcome && 'returned' in outcome ? (JSON.parse(outcome.returned) as string | null) : null,
  );
  return texts.map((text, index) => (isPython(text, index) ? forms.shift()! : normalFormOf(text)));
}
