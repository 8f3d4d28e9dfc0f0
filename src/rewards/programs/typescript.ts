// Converts TypeScript programs to JavaScript and type-checks them, in a sandbox process that holds
// the compiler.

import { z } from 'zod';
import type { Prompt } from '../../records/prompts.ts';
import type { CallOutcome } from '../sandbox/protocol.ts';
import { sharedSandbox } from '../sandbox/sandbox.ts';
import type { Compiled } from '../sandbox/typescript/compiler.ts';
import { asScript } from './module-syntax.ts';

/** The clock is a last resort: the compiler's allocation limit normally ends the work first. */
const limits = { timeLimitMs: 1000, memoryLimitMb: 512 };
const compiledSchema: z.ZodType<Compiled> = z.strictObject({
  script: z.string(),
  errors: z.array(z.string()),
  escapes: z.number(),
});

/** Compile and check programs; for each the result or why it fails. @throws AnnealError ProcessLost */
export async function compileTypeScript(
  sources: readonly string[],
  signal?: AbortSignal,
): Promise<(Compiled | { failed: string })[]> {
  const outcomes = await read('check', sources, signal);
  return outcomes.map((outcome) => ('failed' in outcome ? outcome : compiledOf(outcome.returned)));
}

function compiledOf(text: string): Compiled {
  const compiled = compiledSchema.parse(JSON.parse(text));
  return { ...compiled, script: asScript(compiled.script) };
}

/**
 * Remove the types from those programs that are TypeScript. One that cannot be read stays as it is,
 * and does not parse as JavaScript either.
 */
export async function withoutTypes(
  prompts: readonly Pick<Prompt, 'language'>[],
  texts: readonly string[],
): Promise<string[]> {
  const typed = [...texts.keys()].filter((index) => prompts[index]!.language === 'typescript');
  const outcomes = await read(
    'strip',
    typed.map((index) => texts[index]!),
  );
  const scripts = [...texts];
  for (const [at, index] of typed.entries()) {
    const outcome = outcomes[at]!;
    if ('returned' in outcome) scripts[index] = asScript(outcome.returned);
  }
  return scripts;
}

async function read(
  entry: 'check' | 'strip',
  sources: readonly string[],
  signal?: AbortSignal,
): Promise<CallOutcome[]> {
  if (sources.length === 0) return [];
  const programs = sources.map((source) => ({ source, entry, calls: ['[]'] }));
  const outcomes = await sharedSandbox(limits, 'typescript').run(programs, { signal });
  return outcomes.map(([outcome]) => {
    if (!outcome) throw new Error('expected one outcome per program, found none');
    return 'failed' in outcome && !outcome.failed.startsWith('does not ')
      ? { failed: `cannot be read: ${outcome.failed}` }
      : outcome;
  });
}
