// Runs one Python program at a time, each from the same state of the interpreter's memory, inside a
// sandbox process. Values enter and leave through C functions.

import type {
  CallOutcome,
  ProgramOutcome,
  SandboxCall,
  SandboxLimits,
  SandboxProgram,
} from '../protocol.ts';
import { Failed, PythonMachine } from './machine.ts';
import { jsonOfMarshal, marshalJson, NotJson } from './marshal.ts';
import { setupSource } from './setup.ts';

/** Limit of returned JSON or written text per program, in characters; a call beyond it fails. */
const maxReturnedChars = 256 * 1024;
/** Calls of the entry that one test may make, one after the other. */
const maxRounds = 64;
/** A program whose functions are called is a module as an import makes it: main guards do not run. */
const importedAs = 'program';
/** Discards output and has no input. */
const silent = { write: () => {}, read: () => new Uint8Array() };

export class PythonInterpreter {
  readonly #machine: PythonMachine;

  private constructor(machine: PythonMachine) {
    this.#machine = machine;
  }

  static async load(limits: SandboxLimits): Promise<PythonInterpreter> {
    return new PythonInterpreter(await PythonMachine.load(limits, setupSource()));
  }

  /**
   * Run a program and its calls. The program's errors are in the outcome.
   * @throws any error that breaks the interpreter for good.
   */
  run(program: SandboxProgram): ProgramOutcome {
    const execution = new Execution(this.#machine, program);
    const { calls } = program;
    const outcomes = new Map<SandboxCall, CallOutcome>();
    for (const [call, outcome] of execution.asserts(calls.filter(isAssert)))
      outcomes.set(call, outcome);
    const listed = execution.calls(calls.filter((call) => typeof call === 'string'));
    return calls.map((call) => {
      if (typeof call === 'string') return listed.shift()!;
      return outcomes.get(call) ?? execution.wholeRun((call as { stdin: string }).stdin);
    });
  }
}

type AssertCall = Extract<SandboxCall, { assert: string }>;
type Verdict = CallOutcome | { needed: string };

function isAssert(call: SandboxCall): call is AssertCall {
  return typeof call === 'object' && 'assert' in call;
}

/** One program, in one or more states; its time and output are counted over all of them. */
class Execution {
  readonly #machine: PythonMachine;
  readonly #program: SandboxProgram;
  #ticksUsed = 0;
  #charsLeft = maxReturnedChars;

  constructor(machine: PythonMachine, program: SandboxProgram) {
    this.#machine = machine;
    this.#program = program;
  }

  /** Call the entry with each of some lists of arguments. */
  calls(lists: readonly string[]): CallOutcome[] {
    if (lists.length === 0) return [];
    return this.#inFreshState(silent, () => {
      const broken = this.#define();
      if (broken) return lists.map(() => ({ failed: broken.message }));
      return lists.map((args) =>
        attempt(() => {
          const bytes = this.#machine.call(this.#program.entry, marshalJson(args, true));
          const json = jsonOfMarshal(bytes, this.#charsLeft);
          this.#charsLeft -= json.length;
          return json;
        }),
      );
    });
  }

  /**
   * Run tests that assert, in states that the program has not touched. A call of the entry returns
   * what the program returned for the same arguments. A call without a recorded answer ends the
   * test; the program then answers it in a state of its own, and the test runs again.
   */
  asserts(tests: readonly AssertCall[]): Map<AssertCall, CallOutcome> {
    const answers: Record<string, CallOutcome> = {};
    const decided = new Map<AssertCall, CallOutcome>();
    for (let round = 0; decided.size < tests.length; round++) {
      const open = tests.filter((test) => !decided.has(test));
      const needed = new Set<string>();
      for (const [test, verdict] of this.#judge(open, answers)) {
        if (!('needed' in verdict)) decided.set(test, verdict);
        else if (round < maxRounds) needed.add(verdict.needed);
        else decided.set(test, { failed: `makes more than ${maxRounds} calls` });
      }
      if (needed.size > 0) Object.assign(answers, this.#answer([...needed]));
    }
    return decided;
  }

  #judge(tests: AssertCall[], answers: Record<string, CallOutcome>): [AssertCall, Verdict][] {
    this.#machine.restore(silent);
    this.#machine.define('from _anneal.assertions import judge_test');
    return tests.map((test) => {
      const args = marshalJson(JSON.stringify([test.assert, this.#program.entry, answers]), true);
      const outcome = attempt(() =>
        jsonOfMarshal(this.#machine.call('judge_test', args), maxReturnedChars),
      );
      return [test, 'returned' in outcome ? (JSON.parse(outcome.returned) as Verdict) : outcome];
    });
  }

  /** The program's answers to calls, each two marshalled values in hexadecimal digits. */
  #answer(calls: string[]): Record<string, CallOutcome> {
    return this.#inFreshState(silent, () => {
      const broken = this.#define();
      const answers = calls.map((call): [string, CallOutcome] => {
        const [args, keywords] = call.split(':').map((hex) => Buffer.from(hex, 'hex'));
        const { entry } = this.#program;
        if (broken) return [call, { failed: broken.message }];
        return [call, attempt(() => this.#limited(this.#machine.call(entry, args!, keywords)))];
      });
      return Object.fromEntries(answers);
    });
  }

  #limited(bytes: Buffer): string {
    this.#charsLeft -= bytes.length;
    if (this.#charsLeft < 0) throw new NotJson(`returned more than ${maxReturnedChars} bytes`);
    return bytes.toString('hex');
  }

  /** Run the whole program on an input. The result is its output, as JSON. */
  wholeRun(stdin: string): CallOutcome {
    const written: Uint8Array[] = [];
    let unread: Uint8Array = Buffer.from(stdin);
    const host = {
      read: (size: number) => {
        const bytes = unread.subarray(0, size);
        unread = unread.subarray(bytes.length);
        return bytes;
      },
      write: (fd: number, bytes: Uint8Array) => {
        if (fd !== 1) return;
        this.#charsLeft -= bytes.length;
        if (this.#charsLeft >= 0) written.push(bytes);
      },
    };
    return this.#inFreshState(host, () => {
      const broken = this.#define('__main__');
      if (broken && broken.exitStatus !== 0) return { failed: broken.message };
      const flushed = attempt(() => {
        this.#machine.define('import sys\nsys.stdout.flush()');
        return '';
      });
      if ('failed' in flushed) return flushed;
      if (this.#charsLeft < 0) return { failed: `wrote more than ${maxReturnedChars} bytes` };
      return { returned: JSON.stringify(Buffer.concat(written).toString()) };
    });
  }

  #inFreshState<T>(host: Parameters<PythonMachine['restore']>[0], action: () => T): T {
    this.#machine.restore(host, this.#ticksUsed);
    const result = action();
    this.#ticksUsed += this.#machine.ticks;
    return result;
  }

  /** Define the program as a module. @returns why it fails, null if it does not. */
  #define(module = importedAs): Failed | null {
    try {
      this.#machine.define(this.#program.source, module);
      return null;
    } catch (error) {
      if (error instanceof Failed) return error;
      throw error;
    }
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
