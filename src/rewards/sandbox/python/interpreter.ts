// Runs one Python program at a time, each from the same state of the interpreter's memory, inside a
// sandbox process. Values enter and leave through C functions.

import type {
  CallOutcome,
  ProgramOutcome,
  SandboxCall,
  SandboxLimits,
  SandboxProgram,
} from '../protocol.ts';
import { Failed, PythonMachine, type Used } from './machine.ts';
import { jsonOfMarshal, marshalJson, NotJson } from './marshal.ts';
import { setupSource } from './setup.ts';

/** Limit of returned JSON or written text per program, in characters; a call beyond it fails. */
const maxReturnedChars = 256 * 1024;
/** The file descriptor on which tests call the entry; `_anneal/assertions.py` knows it too. */
const callsFd = 1000;
/** A program whose functions are called is a module as an import makes it: main guards do not run. */
const importedAs = 'program';
/** Discards output and has no input. */
const silent = { write: () => {}, read: () => new Uint8Array() };

export class PythonInterpreter {
  readonly #limits: SandboxLimits;
  readonly #machine: PythonMachine;
  /** A second interpreter, which no program enters. */
  #tests: PythonMachine | undefined;

  private constructor(limits: SandboxLimits, machine: PythonMachine) {
    this.#limits = limits;
    this.#machine = machine;
  }

  static async load(limits: SandboxLimits): Promise<PythonInterpreter> {
    return new PythonInterpreter(limits, await PythonMachine.load(limits, setupSource()));
  }

  /** Load what tests that assert run in. */
  async loadTests(): Promise<void> {
    this.#tests ??= await PythonMachine.load(this.#limits, setupSource());
  }

  /**
   * Run a program and its calls. The program's errors are in the outcome.
   * @throws any error that breaks the interpreter for good.
   */
  run(program: SandboxProgram): ProgramOutcome {
    const execution = new Execution(this.#machine, program);
    const { calls } = program;
    const asserted = execution.asserts(calls.filter(isAssert), this.#tests);
    const listed = execution.calls(calls.filter((call) => typeof call === 'string'));
    return calls.map((call) => {
      if (typeof call === 'string') return listed.shift()!;
      return isAssert(call) ? asserted.shift()! : execution.wholeRun(call.stdin);
    });
  }
}

type AssertCall = Extract<SandboxCall, { assert: string }>;

function isAssert(call: SandboxCall): call is AssertCall {
  return typeof call === 'object' && 'assert' in call;
}

/** One program, in one or more states; its time and output are counted over all of them. */
class Execution {
  readonly #machine: PythonMachine;
  readonly #program: SandboxProgram;
  #used: Used = { ticks: 0, fuel: 0 };
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
   * Run tests that assert, in an interpreter that the program never enters. A call of the entry
   * leaves it and is made here, where the program is defined; the tests share that state.
   */
  asserts(tests: readonly AssertCall[], machine: PythonMachine | undefined): CallOutcome[] {
    if (tests.length === 0) return [];
    if (!machine) throw new Error('expected `loadTests` before tests that assert');
    return this.#inFreshState(silent, () => {
      const broken = this.#define();
      let unread: Uint8Array = Buffer.alloc(0);
      machine.restore({
        read: (size) => {
          const bytes = unread.subarray(0, size);
          unread = unread.subarray(bytes.length);
          return bytes;
        },
        write: (fd, bytes) => {
          if (fd === callsFd) unread = this.#reply(bytes, broken);
        },
      });
      machine.define('from _anneal.assertions import judge_test');
      return tests.map((test) => this.#judge(test, machine));
    });
  }

  #judge({ assert }: AssertCall, machine: PythonMachine): CallOutcome {
    const args = marshalJson(JSON.stringify([assert, this.#program.entry]), true);
    const verdict = attempt(() =>
      jsonOfMarshal(machine.call('judge_test', args), maxReturnedChars),
    );
    return 'returned' in verdict ? (JSON.parse(verdict.returned) as CallOutcome) : verdict;
  }

  /** The answer to a test's call: its kind in a byte, its size, and what was returned or why not. */
  #reply(call: Uint8Array, broken: Failed | null): Uint8Array {
    try {
      if (broken) return reply('failed', broken.message);
      const { entry } = this.#program;
      return reply(
        'returned',
        this.#limited(this.#machine.callWithKeywords(entry, Buffer.from(call))),
      );
    } catch (error) {
      if (error instanceof NotJson) return reply('failed', error.message);
      if (!(error instanceof Failed)) throw error;
      const { raised, message } = error;
      return raised ? reply('raised', `${raised}\n${message}`) : reply('failed', message);
    }
  }

  #limited(bytes: Buffer): Buffer {
    this.#charsLeft -= bytes.length;
    if (this.#charsLeft < 0) throw new NotJson(`returned more than ${maxReturnedChars} bytes`);
    return bytes;
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
    this.#machine.restore(host, this.#used);
    const result = action();
    const { ticks, fuel } = this.#machine.used;
    this.#used = { ticks: this.#used.ticks + ticks, fuel: this.#used.fuel + fuel };
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

const replyCodes = { returned: 'r', raised: 'e', failed: 'f' };

/** A message to `_anneal/assertions.py`. */
function reply(kind: keyof typeof replyCodes, content: string | Buffer): Uint8Array {
  const bytes = Buffer.from(content as Buffer);
  const head = Buffer.alloc(5, replyCodes[kind]);
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

function attempt(action: () => string): CallOutcome {
  try {
    return { returned: action() };
  } catch (error) {
    if (error instanceof Failed || error instanceof NotJson) return { failed: error.message };
    throw error;
  }
}
