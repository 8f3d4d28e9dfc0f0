// The messages to and from the sandbox process: programs with their calls in, outcomes out. Expected
// values are not part of it: nothing in the sandbox process knows them.

/** Programs in TypeScript run as JavaScript; the process for `typescript` only compiles. */
export type Language = 'javascript' | 'python' | 'typescript';

/** A program and the calls to make. */
export interface SandboxProgram {
  /** A whole script that defines `entry` at its top level. */
  source: string;
  entry: string;
  calls: SandboxCall[];
}

/**
 * A string: arguments of the entry as a JSON array. `assert`: statements that call the entry; the
 * result is `true`. `stdin`: input of a run of the whole program; the result is its output.
 */
export type SandboxCall = string | { assert: string } | { stdin: string };

export interface SandboxLimits {
  /** For the program with all its calls, counted in ticks of the interpreter (`ticksPerMs`). */
  timeLimitMs: number;
  memoryLimitMb: number;
}

/** The result of one call: the returned value as JSON text, or why there is none. */
export type CallOutcome = { returned: string } | { failed: string };

/** The outcomes of a program's calls, in order. */
export type ProgramOutcome = CallOutcome[];

export interface SandboxMethods {
  /**
   * Load the interpreter, unless it is loaded; returns when programs can run. `asserts`: also what
   * tests that assert need.
   */
  load: {
    payload: SandboxLimits & { language: Language; asserts: boolean };
    result: null;
    progress: never;
  };
  /** Run programs in order; each outcome is reported as progress. */
  run: { payload: SandboxProgram[]; result: null; progress: ProgramOutcome };
}
