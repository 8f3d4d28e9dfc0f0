// Runs one program at a time in QuickJS compiled to WebAssembly, each in its own runtime, inside the
// sandbox process. Limits are counted in the interpreter's ticks and bytes, not in wall-clock time,
// so that a verdict does not depend on how busy the machine is; sandbox.ts adds one from outside.

import releaseSync from '@jitl/quickjs-wasmfile-release-sync';
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
  Scope,
} from 'quickjs-emscripten-core';
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
import { Execution, Use } from './execution.ts';

/** QuickJS ticks every 10,000 calls and jumps, which take it between 0.2 and 1.5 ms. */
const ticksPerMs = 1;
/**
 * A sixteenth of V8's stack, so that QuickJS always hits its limit first: 20,000 calls of a simple
 * function, of 5 MiB that QuickJS has. Node itself has enough for 10,000.
 */
const stackBytes = (hasDeepStack() ? 3840 : 256) * 1024;
const wasmPageBytes = 65_536;
const mebibyte = 1024 * 1024;
/** The package declares its ES module with the types of its CommonJS one. */
const variant = releaseSync as unknown as QuickJSSyncVariant;

/** The part used here; TypeScript declares it only in the browser's library. */
declare const WebAssembly: { Memory: new (pages: { initial: number; maximum: number }) => object };

/** The interpreter, with its total memory bounded. Programs run one after the other. */
export class Interpreter {
  readonly #wasm: QuickJSWASMModule;
  readonly #assertions: AssertionRunner;
  readonly #limits: SandboxLimits;

  private constructor(wasm: QuickJSWASMModule, assertions: AssertionRunner, limits: SandboxLimits) {
    this.#wasm = wasm;
    this.#assertions = assertions;
    this.#limits = limits;
  }

  static async load(limits: SandboxLimits): Promise<Interpreter> {
    const assertions = new AssertionRunner(await instantiate(limits), {
      ticks: limits.timeLimitMs * ticksPerMs,
      memoryBytes: limits.memoryLimitMb * mebibyte,
      stackBytes,
    });
    return new Interpreter(await instantiate(limits), assertions, limits);
  }

  /**
   * Run a program and its calls: calls of the entry, also those by tests that assert, in one realm,
   * each run of the whole program in its own. The program's errors are in the outcome.
   * @throws any error that breaks the interpreter itself; it cannot be used again.
   */
  run({ source, entry, calls }: SandboxProgram): ProgramOutcome {
    const use = new Use(this.#limits.timeLimitMs * ticksPerMs);
    const outcomes = this.#ofEntry(source, entry, calls.filter(isOfEntry), use);
    return calls.map((call) => {
      if (isOfEntry(call)) return outcomes.shift()!;
      return this.#inRealm('whole', source, use, (execution) => execution.talk(source, call.stdin));
    });
  }

  #ofEntry(source: string, entry: string, calls: OfEntry[], use: Use): CallOutcome[] {
    if (calls.length === 0) return [];
    const kind = calls.every((call) => typeof call === 'string') ? 'calls' : 'asserts';
    return this.#inRealm(kind, source, use, (execution, scope) => {
      const defined = execution.define(source, entry);
      if ('failed' in defined) return calls.map(() => defined);
      const callee = scope.manage(defined.value);
      return calls.map((call) =>
        typeof call === 'string'
          ? execution.call(callee, call)
          : this.#assertions.run(call.assert, entry, (args) => execution.answer(callee, args)),
      );
    });
  }

  #inRealm<T>(
    kind: RealmKind,
    source: string,
    use: Use,
    action: (execution: Execution, scope: Scope) => T,
  ): T {
    return Scope.withScope((scope) => {
      const runtime = scope.manage(this.#wasm.newRuntime());
      runtime.setMemoryLimit(this.#limits.memoryLimitMb * mebibyte);
      runtime.setMaxStackSize(stackBytes);
      const context = scope.manage(runtime.newContext());
      const bridge = takeBridge(context, scope, kind, source);
      runtime.setInterruptHandler(() => use.tick());
      return action(new Execution(context, bridge, use), scope);
    });
  }
}

type OfEntry = Exclude<SandboxCall, { stdin: string }>;

function isOfEntry(call: SandboxCall): call is OfEntry {
  return typeof call === 'string' || 'assert' in call;
}

/** QuickJS with a memory of its own. */
async function instantiate({ memoryLimitMb }: SandboxLimits): Promise<QuickJSWASMModule> {
  const initial = (16 * mebibyte) / wasmPageBytes;
  const maximum = initial + (4 * memoryLimitMb * mebibyte) / wasmPageBytes;
  const wasmMemory = new WebAssembly.Memory({ initial, maximum });
  return newQuickJSWASMModuleFromVariant(newVariant(variant, { wasmMemory }));
}
