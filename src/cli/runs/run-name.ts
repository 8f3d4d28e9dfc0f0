// Under which workflow id a run starts, given what exists already.

/** What stands in the way of a name: a live run, something finished, or nothing. */
export type NameUse = 'free' | 'running' | 'taken';

export type NameChoice =
  | { kind: 'start'; name: string }
  /** A live run of that name: watch it instead of starting another. */
  | { kind: 'attach'; name: string }
  /** The user asked for this very name, and it is used up. */
  | { kind: 'refuse'; name: string };

/** `run`, `run-2`, `run-3`, …: the number-th of that name, from 1. */
export function numberedName(name: string, number: number): string {
  return number === 1 ? name : `${name}-${number}`;
}

/**
 * Choose the id of a run. A name from the file gives way to the next free one (`two-phase-2`, …),
 * the last live one among them is attached to; a name given by flag is taken at its word.
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
