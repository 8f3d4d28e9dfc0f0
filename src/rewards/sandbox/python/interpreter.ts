// Runs one Python program at a time, each from the same state of the interpreter's memory. Lives in
// a sandbox process, as the interpreter of JavaScript does; values go in and come out through C.

import type { CallOutcome, ProgramOutcome, SandboxLimits, SandboxProgram } from '../protocol.ts';
import { Failed, PythonMachine } from './machine.ts';
import { jsonOfMarshal, marshalJson, NotJson } from './marshal.ts';
import { setup } from './setup.ts';

/** Returned JSON a program, in characters; a flood beyond it fails the call. */
const maxReturnedChars = 256 * 1024;
/** What programs write goes nowhere, and there is nothing for them to read. */
const silent = { write: () => {}, read: () => new Uint8Array() };

export class PythonInterpreter {
  readonly #machine: PythonMachine;

  private constructor(machine: PythonMachine) {
    this.#machine = machine;
  }

  static async load(limits: SandboxLimits): Promise<PythonInterpreter> {
    return new PythonInterpreter(await PythonMachine.load(limits, setup));
  }

  /**
   * Run a program and its calls. What the program does wrong is in the outcome.
   * @throws whatever breaks the interpreter beyond repair.
   */
  run({ source, entry, calls }: SandboxProgram): ProgramOutcome {
    this.#machine.restore(silent);
    const broken = attempt(() => {
      this.#machine.define(source);
      return '';
    });
    if ('failed' in broken) return calls.map(() => broken);
    let charsLeft = maxReturnedChars;
    return calls.map((args) =>
      attempt(() => {
        const json = jsonOfMarshal(this.#machine.call(entry, marshalJson(args, true)), charsLeft);
        charsLeft -= json.length;
        return json;
      }),
    );
  }
}

function attempt(action: () => string): CallOutcome {
  try {
    return { returned: action() };
  } catch (error) {
    if (error instanceof Failed || error instanceof NotJson) return { failed: error.message };
    throw error;
  }
}
