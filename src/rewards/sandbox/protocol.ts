// What the sandbox is asked and what it answers: programs with their argument lists one way,
// outcomes the other. Expected values are no part of it; nothing in the sandbox process knows them.

/** Programs in TypeScript run as JavaScript; its own process reads them, and runs none. */
export type Language = 'javascript' | 'python' | 'typescript';

/** A program and the calls to make of it. */
export interface SandboxProgram {
  /** A whole script that defines `entry` at its top level. */
  source: string;
  entry: string;
  calls: SandboxCall[];
}

/**
 * The text of a JSON array of arguments, afresh for every call; statements that call the entry and
 * assert (what came of it is `true`); or what a whole run of the program reads from its standard
 * input (what came of it is what it wrote).
 */
export type SandboxCall = string | { assert: string } | { stdin: string };

export interface SandboxLimits {
  /** For the program with all of its calls; one unit is `ticksPerMs` ticks of the interpreter. */
  timeLimitMs: number;
  memoryLimitMb: number;
}

/** What one call came to: the returned value as JSON text, or why there is none. */
export type CallOutcome = { returned: string } | { failed: string };

/** The outcomes of a program's calls, in their order. */
export type ProgramOutcome = CallOutcome[];

export interface SandboxMethods {
  /** Load the interpreter; answered once programs can run. */
  load: { payload: SandboxLimits & { language: Language }; result: null; progress: never };
  /** Run programs in order; each one's outcome is reported as soon as it is there. */
  run: { payload: SandboxProgram[]; result: null; progress: ProgramOutcome };
}
