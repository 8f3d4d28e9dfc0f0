// Runs one program at a time in QuickJS compiled to WebAssembly, each in its own runtime, inside the
// sandbox process. Limits are counted in the interpreter's ticks, fuel and bytes, not in time, so that
// a verdict depends neither on the machine nor on how busy it is.

import { type QuickJSHandle, Scope } from 'quickjs-emscripten-core';
import type {
  CallOutcome,
  ProgramOutcome,
  SandboxCall,
  SandboxLimits,
  SandboxProgram,
} from '../protocol.ts';
import { hasDeepStack } from '../stack.ts';
import { AssertionRunner } from './assertion-runner.ts';
import { type RealmKind, takeBridge } from './bridge.ts';
import { Execution } from './execution.ts';
import { loadQuickJs, type QuickJs } from './quickjs.ts';
import { Use } from './use.ts';

/**
 * A sixteenth of V8's stack, so that QuickJS always hits its limit first: 20,000 calls of a simple
 * function, of 5 MiB that QuickJS has. Node itself has enough for 10,000.
 */
const stackBytes = (hasDeepStack() ? 3840 : 256) * 1024;
const mebibyte = 1024 * 1024;

/** The interpreter, with its total memory bounded. Programs run one after the other. */
export class Interpreter {
  readonly #limits: SandboxLimits;
  #program: QuickJs;
  #assertions: AssertionRunner;

  private constructor(limits: SandboxLimits, program: QuickJs, assertions: AssertionRunner) {
    this.#limits = limits;
    this.#program = program;
    this.#assertions = assertions;
  }

  static async load(limits: SandboxLimits): Promise<Interpreter> {
    return new Interpreter(
      limits,
      await loadQuickJs(limits.memoryLimitMb),
      await loadAssertions(limits),
    );
  }

  /** Replace what the last program broke, if it used up its fuel. */
  async renew(): Promise<void> {
    if (this.#program.fuel.isSpent) this.#program = await loadQuickJs(this.#limits.memoryLimitMb);
    if (this.#assertions.isSpent) this.#assertions = await loadAssertions(this.#limits);
  }

  /**
   * Run a program and its calls: calls of the entry, also those by tests that assert, in one realm,
   * each run of the whole program in its own. The program's errors are in the outcome.
   * @throws any error that breaks the interpreter itself; it cannot be used again.
   */
  run({ source, entry, calls }: SandboxProgram): ProgramOutcome {
    const use = new Use(this.#limits.timeLimitMs);
    const outcomes: ProgramOutcome = calls.map(() => ({ failed: 'time limit' }));
    try {
      this.#callEntry({ source, entry, calls }, use, outcomes);
      for (const [index, call] of calls.entries())
        if (!isOfEntry(call))
          outcomes[index] = this.#inRealm('whole', source, use, (execution) =>
            execution.talk(source, call.stdin),
          );
    } catch (error) {
      if (!this.#program.fuel.isSpent) throw error;
    }
    return outcomes;
  }

  #callEntry({ source, entry, calls }: SandboxProgram, use: Use, outcomes: ProgramOutcome): void {
    const own = calls.filter(isOfEntry);
    if (own.length === 0) return;
    const kind = own.every((call) => typeof call === 'string') ? 'calls' : 'asserts';
    this.#inRealm(kind, source, use, (execution, scope) => {
      const defined = execution.define(source, entry);
      const callee = 'failed' in defined ? defined : scope.manage(defined.value);
      for (const [index, call] of calls.entries())
        if (isOfEntry(call)) outcomes[index] = this.#called(execution, callee, entry, call);
    });
  }

  #called(
    execution: Execution,
    callee: QuickJSHandle | { failed: string },
    entry: string,
    call: OfEntry,
  ): CallOutcome {
    if ('failed' in callee) return callee;
    if (typeof call === 'string') return execution.call(callee, call);
    return this.#assertions.run(call.assert, entry, (args) => execution.answer(callee, args));
  }

  #inRealm<T>(
    kind: RealmKind,
    source: string,
    use: Use,
    action: (execution: Execution, scope: Scope) => T,
  ): T {
    const { wasm, fuel } = this.#program;
    return Scope.withScope((scope) => {
      const runtime = scope.manage(wasm.newRuntime());
      runtime.setMemoryLimit(this.#limits.memoryLimitMb * mebibyte);
      runtime.setMaxStackSize(stackBytes);
      const context = scope.manage(runtime.newContext());
      const bridge = takeBridge(context, scope, kind, source);
      runtime.setInterruptHandler(() => use.tick());
      return use.burn(fuel, () => action(new Execution(context, bridge, use), scope));
    });
  }
}

type OfEntry = Exclude<SandboxCall, { stdin: string }>;

function isOfEntry(call: SandboxCall): call is OfEntry {
  return typeof call === 'string' || 'assert' in call;
}

async function loadAssertions({ timeLimitMs, memoryLimitMb }: SandboxLimits) {
  const limits = { timeLimitMs, memoryBytes: memoryLimitMb * mebibyte, stackBytes };
  return new AssertionRunner(await loadQuickJs(memoryLimitMb), limits);
}
