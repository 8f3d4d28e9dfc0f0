// Runs tests that assert, in an interpreter that programs never enter. There the entry is a function
// that calls the program in its own interpreter and returns plain data.

import {
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSWASMModule,
  Scope,
} from 'quickjs-emscripten-core';
import type { CallOutcome } from '../protocol.ts';
import { assertionsSource } from './assertions.ts';
import { type Bridge, takeBridge } from './bridge.ts';

/** A program's answer to one call: a packed value, or why there is none. */
export type Answer =
  | { returned: string }
  /** `isThrown`: the program itself threw it, which a test may expect. */
  | { failed: string; isThrown: boolean };

export interface AssertionLimits {
  ticks: number;
  memoryBytes: number;
  stackBytes: number;
}

export class AssertionRunner {
  readonly #wasm: QuickJSWASMModule;
  readonly #limits: AssertionLimits;

  constructor(wasm: QuickJSWASMModule, limits: AssertionLimits) {
    this.#wasm = wasm;
    this.#limits = limits;
  }

  /**
   * Run a test, which passes if its statements throw nothing; `answer` is given packed arguments. If
   * a program does not answer (a time limit, say), the test fails, even if it catches the error.
   * @throws what `answer` throws.
   */
  run(test: string, entry: string, answer: (args: string) => Answer): CallOutcome {
    return Scope.withScope((scope) => {
      const runtime = scope.manage(this.#wasm.newRuntime());
      runtime.setMemoryLimit(this.#limits.memoryBytes);
      runtime.setMaxStackSize(this.#limits.stackBytes);
      const context = scope.manage(runtime.newContext());
      const bridge = takeBridge(context, scope, 'asserts');
      const asking = new Asking(answer);
      install(context, scope, bridge, entry, asking);
      let ticksLeft = this.#limits.ticks;
      runtime.setInterruptHandler(() => asking.isOver || --ticksLeft < 0);
      const ended = scope.manage(context.evalCode(test, 'test.js', { type: 'global' }));
      asking.rethrow();
      if (asking.failed !== undefined) return { failed: asking.failed };
      if (ticksLeft < 0) return { failed: 'time limit of the test itself' };
      return ended.error ? { failed: wordsOf(context, bridge, ended.error) } : { returned: 'true' };
    });
  }
}

/** The calls that one test makes. */
class Asking {
  readonly #answer: (args: string) => Answer;
  #broken: { by: unknown } | undefined;
  /** Why the program did not answer, if it did not. */
  failed: string | undefined;

  constructor(answer: (args: string) => Answer) {
    this.#answer = answer;
  }

  get isOver(): boolean {
    return this.failed !== undefined || this.#broken !== undefined;
  }

  ask(args: string): Answer {
    try {
      const answer = this.#answer(args);
      if ('failed' in answer && !answer.isThrown) this.failed ??= answer.failed;
      return answer;
    } catch (error) {
      this.#broken = { by: error };
      throw error;
    }
  }

  /** Errors of the program's interpreter must not reach the test. */
  rethrow(): void {
    if (this.#broken) throw this.#broken.by;
  }
}

function install(
  context: QuickJSContext,
  scope: Scope,
  { pack, unpack }: Bridge,
  entry: string,
  asking: Asking,
): void {
  const assertions = scope.manage(context.unwrapResult(context.evalCode(assertionsSource)));
  const name = scope.manage(context.newString(entry));
  const ask = scope.manage(
    context.newFunction('ask', (args) =>
      context.newString(JSON.stringify(asking.ask(context.getString(args)))),
    ),
  );
  const installed = context.callFunction(assertions, context.undefined, pack, unpack, name, ask);
  context.unwrapResult(installed).dispose();
}

function wordsOf(context: QuickJSContext, { describe }: Bridge, error: QuickJSHandle): string {
  const words = context.unwrapResult(context.callFunction(describe, context.undefined, error));
  return words.consume((text) => context.getString(text)).slice(0, 200);
}
