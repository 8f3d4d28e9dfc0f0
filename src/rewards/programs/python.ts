// Reads the text of Python programs with the package `_anneal`, in a sandbox.

import type { CallOutcome, SandboxLimits } from '../sandbox/protocol.ts';
import { sharedSandbox } from '../sandbox/sandbox.ts';

/** Functions of `_anneal`, with their modules. */
const readers = {
  analyse: 'review',
  normal_form: 'printing',
  printed: 'printing',
  split_checks: 'assertions',
} as const;

interface ReadOptions {
  limits?: SandboxLimits;
  /** Calls made in one state of the interpreter; each leaves it as it was. */
  together?: number;
  signal?: AbortSignal | undefined;
}

/** Enough for reading, which is quick. */
const readingLimits = { timeLimitMs: 2000, memoryLimitMb: 64 };

/** Call a reader with each list of arguments. @throws AnnealError ProcessLost */
export async function readPython(
  reader: keyof typeof readers,
  calls: readonly (readonly unknown[])[],
  { limits = readingLimits, together = 1, signal }: ReadOptions = {},
): Promise<CallOutcome[]> {
  if (calls.length === 0) return [];
  const programs = Array.from({ length: Math.ceil(calls.length / together) }, (_, index) => ({
    source: `from _anneal.${readers[reader]} import ${reader}`,
    entry: reader,
    calls: calls
      .slice(index * together, (index + 1) * together)
      .map((args) => JSON.stringify(args)),
  }));
  const outcomes = (await sharedSandbox(limits, 'python').run(programs, { signal })).flat();
  if (together === 1) return outcomes;
  // A text that breaks the interpreter also fails those after it, so each is read again by itself.
  const failed = calls.filter((_, index) => 'failed' in outcomes[index]!);
  const again = await readPython(reader, failed, { limits, signal });
  return outcomes.map((outcome) => ('failed' in outcome ? again.shift()! : outcome));
}

/** The text that a reader returns for each list of arguments; null if it returns none or fails. */
export async function readPythonTexts(
  reader: 'normal_form',
  calls: readonly (readonly unknown[])[],
): Promise<(string | null)[]> {
  const outcomes = await readPython(reader, calls);
  return outcomes.map((outcome) =>
    'returned' in outcome ? (JSON.parse(outcome.returned) as string | null) : null,
  );
}
