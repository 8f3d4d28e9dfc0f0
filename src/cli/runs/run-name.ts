// Chooses the workflow id of a new run, given the runs that exist.

/** Whether a live run, a finished run or no run has a name. */
export type NameUse = 'free' | 'running' | 'taken';

export type NameChoice =
  | { kind: 'start'; name: string }
  /** A live run has that name: watch it instead of starting another. */
  | { kind: 'attach'; name: string }
  /** The user asked for this name, and a finished run has it. */
  | { kind: 'refuse'; name: string };

/** `run`, `run-2`, `run-3`, … for numbers from 1. */
export function numberedName(name: string, number: number): string {
  return number === 1 ? name : `${name}-${number}`;
}

/**
 * Choose the id of a run. If the name in the run file is taken, use the next free one (`two-phase-2`,
 * …), or attach to the first of these that is live. A name given by a flag is used as is.
 */
export async function chooseName(
  name: string,
  explicit: boolean,
  useOf: (name: string) => Promise<NameUse>,
): Promise<NameChoice> {
  for (let number = 1; ; number++) {
    const candidate = numberedName(name, number);
    const use = await useOf(candidate);
    if (use === 'running') return { kind: 'attach', name: candidate };
    if (use === 'free') return { kind: 'start', name: candidate };
    if (explicit) return { kind: 'refuse', name };
  }
}
