// One program in one realm of QuickJS: defined, called, or run as a whole.

import type { QuickJSContext, QuickJSHandle } from 'quickjs-emscripten-core';
import type { CallOutcome } from '../protocol.ts';
import type { Answer } from './assertion-runner.ts';
import type { Bridge } from './bridge.ts';
import { maxReturnedChars, type Use } from './use.ts';

const jobsPerTick = 1000;

/** An entry that is no variable of the program is one of its exports, or the only one. */
const exported = (entry: string) =>
  `[module.exports, module.exports.${entry}].find((it) => typeof it === 'function') ?? ${entry}`;

type Result = { value: QuickJSHandle } | { failed: string };

export class Execution {
  readonly #context: QuickJSContext;
  readonly #bridge: Bridge;
  readonly #use: Use;

  constructor(context: QuickJSContext, bridge: Bridge, use: Use) {
    this.#context = context;
    this.#bridge = bridge;
    this.#use = use;
  }

  /** Define the program. @returns its entry, or why there is none */
  define(source: string, entry: string): Result {
    const defined = this.#evaluate(source);
    if ('failed' in defined) return defined;
    defined.value.dispose();
    const found = this.#evaluate(entry);
    return 'failed' in found ? this.#evaluate(exported(entry)) : found;
  }

  /** Call the entry with a list of arguments as JSON text. */
  call(callee: QuickJSHandle, argsText: string): CallOutcome {
    const answer = this.#called(callee, argsText, this.#bridge.parse, this.#bridge.encode);
    return 'failed' in answer ? { failed: answer.failed } : answer;
  }

  /** Call the entry with a packed list of arguments; the result is packed too. */
  answer(callee: QuickJSHandle, argsText: string): Answer {
    return this.#called(callee, argsText, this.#bridge.unpack, this.#bridge.pack);
  }

  #called(
    callee: QuickJSHandle,
    argsText: string,
    read: QuickJSHandle,
    write: QuickJSHandle,
  ): Answer {
    const text = this.#context.newString(argsText);
    const args = this.#invoke(read, text);
    text.dispose();
    if ('failed' in args) return { ...args, isThrown: false };
    const returned = this.#invoke(this.#bridge.apply, callee, this.#context.undefined, args.value);
    args.value.dispose();
    if ('failed' in returned) return { ...returned, isThrown: !this.#use.isOver };
    const written = this.#invoke(write, returned.value);
    returned.value.dispose();
    const outcome = 'failed' in written ? written : this.#textOf(written.value);
    return 'failed' in outcome ? { ...outcome, isThrown: false } : outcome;
  }

  /** Run the whole program on an input. The result is its output, as JSON. */
  talk(source: string, stdin: string): CallOutcome {
    const input = this.#context.newString(stdin);
    const heard = this.#invoke(this.#bridge.talk, input);
    input.dispose();
    if ('failed' in heard) return heard;
    heard.value.dispose();
    const ended = this.#runToEnd(source);
    const code = this.#exitCode();
    if (code > 0) return { failed: `exit code ${code}` };
    if (ended && code < 0) return ended;
    const written = this.#invoke(this.#bridge.written);
    return 'failed' in written ? written : this.#textOf(written.value);
  }

  #runToEnd(source: string): { failed: string } | null {
    const ended = this.#evaluate(source);
    if ('failed' in ended) return ended;
    ended.value.dispose();
    return this.#runJobs() ?? this.#runTimers();
  }

  /** Run timers until there are none; `jobsPerTick` of them count as a tick. */
  #runTimers(): { failed: string } | null {
    for (let fired = 1; ; fired++) {
      if (fired % jobsPerTick === 0 && this.#use.tick()) return { failed: 'time limit' };
      const ran = this.#invoke(this.#bridge.fire);
      if ('failed' in ran) return ran;
      const isDone = !ran.value.consume((it) => this.#context.sameValue(it, this.#context.true));
      const ended = this.#runJobs();
      if (isDone || ended) return ended;
    }
  }

  /** The code that the program exited with; -1 if it did not. */
  #exitCode(): number {
    const code = this.#invoke(this.#bridge.exited);
    return 'failed' in code ? -1 : code.value.consume((it) => this.#context.getNumber(it));
  }

  /** Run pending promise jobs to the end; `jobsPerTick` of them count as a tick. */
  #runJobs(): { failed: string } | null {
    const { runtime } = this.#context;
    while (runtime.hasPendingJob()) {
      if (this.#use.tick()) return { failed: 'time limit' };
      const ran = runtime.executePendingJobs(jobsPerTick);
      if (ran.error) return this.#fail(ran.error);
      ran.dispose();
    }
    return null;
  }

  #textOf(handle: QuickJSHandle): CallOutcome {
    const returned = handle.consume((text) => this.#context.getString(text));
    if (!this.#use.takeChars(returned.length)) return { returned };
    return { failed: `returned more than ${maxReturnedChars} characters of JSON` };
  }

  #evaluate(source: string): Result {
    if (this.#use.isOver) return { failed: 'time limit' };
    const result = this.#context.evalCode(source, 'program.js', { type: 'global' });
    return result.error ? this.#fail(result.error) : { value: result.value };
  }

  #invoke(callee: QuickJSHandle, ...args: QuickJSHandle[]): Result {
    if (this.#use.isOver) return { failed: 'time limit' };
    const result = this.#context.callFunction(callee, this.#context.undefined, ...args);
    return result.error ? this.#fail(result.error) : { value: result.value };
  }

  /** Describe an error. The error is the program's, so reading it may throw again. */
  #fail(error: QuickJSHandle): { failed: string } {
    const words = this.#use.isOver
      ? undefined
      : this.#context.callFunction(this.#bridge.describe, this.#context.undefined, error);
    error.dispose();
    if (!words) return { failed: 'time limit' };
    if (words.error) words.error.dispose();
    const text = words.error ? 'threw' : words.value.consume((it) => this.#context.getString(it));
    return { failed: text.slice(0, 200) };
  }
}
