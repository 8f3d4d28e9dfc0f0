// Runs one program at a time in QuickJS compiled to WebAssembly, each in a runtime of its own.
// Lives in the sandbox process; the limits from outside of that process are sandbox.ts's.
// Limits are counted in the interpreter's own ticks and bytes, not in wall-clock time, so that a
// verdict does not depend on how busy the machine is.

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
import { Judge } from './assertion-runner.ts';
import { type RealmKind, takeBridge } from './bridge.ts';
import { Execution, Use } from './execution.ts';

/** QuickJS ticks after 10,000 calls and jumps; that many take it between 0.2 and 1.5 ms. */
const ticksPerMs = 1;
/** Below the engine's own stack, so that QuickJS always notices first. */
const stackBytes = 256 * 1024;
const wasmPageBytes = 65_536;
const mebibyte = 1024 * 1024;
/** The package declares its ES module by the types of its CommonJS one. */
const variant = releaseSync as unknown as QuickJSSyncVariant;

/** As much of it as is used here; TypeScript has it with the browser's library alone. */
declare const WebAssembly: { Memory: new (pages: { initial: number; maximum: number }) => object };

/** The interpreter, its memory as a whole bounded too. Programs run one after the other. */
export class Interpreter {
  readonly #wasm: QuickJSWASMModule;
  readonly #judge: Judge;
  readonly #limits: SandboxLimits;

  private constructor(wasm: QuickJSWASMModule, judge: Judge, limits: SandboxLimits) {
    this.#wasm = wasm;
    this.#judge = judge;
    this.#limits = limits;
  }

  static async load(limits: SandboxLimits): Promise<Interpreter> {
    const judge = new Judge(await instantiate(limits), {
      ticks: limits.timeLimitMs * ticksPerMs,
      memoryBytes: limits.memoryLimitMb * mebibyte,
      stackBytes,
    });
    return new Interpreter(await instantiate(limits), judge, limits);
  }

  /**
   * Run a program and its calls: those of the entry, by tests that assert too, in one realm, and
   * each whole run in a realm of its own. What the program does wrong is in the outcome.
   * @throws whatever breaks the interpreter itself, which is then unfit for another program.
   */
  run({ source, entry, calls }: SandboxProgram): ProgramOutcome {
    const use = new Use(this.#limits.timeLimitMs * ticksPerMs);
    const outcomes = this.#ofEntry(source, entry, calls.filter(isOfEntry), use);
    return calls.map((call) => {
      if (isOfEntry(call)) return outcomes.shift()!;
      return this.#inRealm('whole', use, (execution) => execution.talk(source, call.stdin));
    });
  }

  #ofEntry(source: string, entry: string, calls: OfEntry[], use: Use): CallOutcome[] {
    if (calls.length === 0) return [];
    const kind = calls.every((call) => typeof call === 'string') ? 'calls' : 'asserts';
    return this.#inRealm(kind, use, (execution, scope) => {
      const defined = execution.define(source, entry);
      if ('failed' in defined) return calls.map(() => defined);
      const callee = scope.manage(defined.value);
      return calls.map((call) =>
        typeof call === 'string'
          ? execution.call(callee, call)
          : this.#judge.run(call.assert, entry, (args) => execution.answer(callee, args)),
      );
    });
  }

  #inRealm<T>(kind: RealmKind, use: Use, action: (execution: Execution, scope: Scope) => T): T {
    return Scope.withScope((scope) => {
      const runtime = scope.manage(this.#wasm.newRuntime());
      runtime.setMemoryLimit(this.#limits.memoryLimitMb * mebibyte);
      runtime.setMaxStackSize(stackBytes);
      const context = scope.manage(runtime.newContext());
      const bridge = takeBridge(context, scope, kind);
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
