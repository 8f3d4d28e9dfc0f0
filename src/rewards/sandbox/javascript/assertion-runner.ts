// Runs tests that assert, in an interpreter that programs never enter. There the entry is a function
// that calls the program in its own interpreter and returns plain data.

import { type QuickJSContext, type QuickJSHandle, Scope } from 'quickjs-emscripten-core';
import type { CallOutcome } from '../protocol.ts';
import { assertionsSource } from './assertions.ts';
import { type Bridge, takeBridge } from './bridge.ts';
import type { QuickJs } from './quickjs.ts';
import { Use } from './use.ts';

/** A program's answer to one call: a packed value, or why there is none. */
export type Answer =
  | { returned: string }
  /** `isThrown`: the program itself threw it, which a test may expect. */
  | { failed: string; isThrown: boolean };

export interface AssertionLimits {
  timeLimitMs: number;
  memoryBytes: number;
  stackBytes: number;
}

export class AssertionRunner {
  readonly #quickJs: QuickJs;
  readonly #limits: AssertionLimits;

  constructor(quickJs: QuickJs, limits: AssertionLimits) {
    this.#quickJs = quickJs;
    this.#limits = limits;
  }

  /** Whether a test used up its fuel: no other can run here. */
  get isSpent(): boolean {
    return this.#quickJs.fuel.isSpent;
  }

  /**
   * Run a test, which passes if its statements throw nothing; `answer` is given packed arguments. If
   * a program does not answer (a time limit, say), the test fails, even if it catches the error.
   * @throws what `answer` throws.
   */
  run(test: string, entry: string, answer: (args: string) => Answer): CallOutcome {
    try {
      if (!this.isSpent) return this.#judge(test, entry, new Asking(answer));
    } catch (error) {
      if (!this.isSpent) throw error;
    }
    return { failed: 'time limit of the test itself' };
  }

  #judge(test: string, entry: string, asking: Asking): CallOutcome {
    return Scope.withScope((scope) => {
      const { wasm, fuel } = this.#quickJs;
      const runtime = scope.manage(wasm.newRuntime());
      runtime.setMemoryLimit(this.#limits.memoryBytes);
      runtime.setMaxStackSize(this.#limits.stackBytes);
      const context = scope.manage(runtime.newContext());
      const bridge = takeBridge(context, scope, 'asserts');
      install(context, scope, bridge, entry, asking);
      const use = new Use(this.#limits.timeLimitMs);
      runtime.setInterruptHandler(() => asking.isOver || use.tick());
      const ended = use.burn(fuel, () =>
        scope.manage(context.evalCode(test, 'test.js', { type: 'global' })),
      );
      asking.rethrow();
      if (asking.failed !== undefined) return { failed: asking.failed };
      if (use.isOver) return { failed: 'time limit of the test itself' };
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
