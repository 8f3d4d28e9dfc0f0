// Runs one program at a time in QuickJS compiled to WebAssembly, each in a runtime of its own.
// Lives in the sandbox process; the limits from outside of that process are sandbox.ts's.
//
// The program and this module share a realm, so nothing here trusts what a program can reach:
// values go in and come out through functions taken before the program ran, and the program
// holds no reference to them. Limits are counted in the interpreter's own ticks and bytes, not
// in wall-clock time, so that a verdict does not depend on how busy the machine is.

import releaseSync from '@jitl/quickjs-wasmfile-release-sync';
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
  Scope,
} from 'quickjs-emscripten-core';
import type { CallOutcome, ProgramOutcome, SandboxLimits, SandboxProgram } from './protocol.ts';

/** QuickJS ticks after 10,000 calls and jumps; that many take it between 0.2 and 1.5 ms. */
const ticksPerMs = 1;
/** Below the engine's own stack, so that QuickJS always notices first. */
const stackBytes = 256 * 1024;
/** Returned JSON a program, in characters; a flood beyond it fails the call. */
const maxReturnedChars = 256 * 1024;
const wasmPageBytes = 65_536;
const mebibyte = 1024 * 1024;
/** The package declares its ES module by the types of its CommonJS one. */
const variant = releaseSync as unknown as QuickJSSyncVariant;

/** As much of it as is used here; TypeScript has it with the browser's library alone. */
declare const WebAssembly: { Memory: new (pages: { initial: number; maximum: number }) => object };

/**
 * `encode` writes a value as JSON by itself, for JSON.stringify would call `toJSON` and would turn
 * NaN into null. What JSON cannot carry (undefined, NaN, functions, class instances, …) throws; a
 * property that is undefined is left out. `describe` puts a thrown value into words. Programs
 * have a console, which writes nowhere.
 */
const bridgeSource = `(() => {
  const { isArray } = Array;
  const { getPrototypeOf, keys, prototype: plain } = Object;
  const { isFinite } = Number;
  const quote = JSON.stringify;
  const refuse = (what) => { throw { name: 'returned', message: what + ', which is no JSON value' }; };
  const encodeArray = (array) => {
    let text = '[';
    for (let index = 0; index < array.length; index++)
      text += (index > 0 ? ',' : '') + encode(array[index]);
    return text + ']';
  };
  const encodeObject = (object) => {
    const prototype = getPrototypeOf(object);
    if (prototype !== plain && prototype !== null) refuse('an instance of a class');
    const names = keys(object);
    let text = '';
    for (let index = 0; index < names.length; index++) {
      const value = object[names[index]];
      if (value !== undefined)
        text += (text === '' ? '' : ',') + quote(names[index]) + ':' + encode(value);
    }
    return '{' + text + '}';
  };
  const encode = (value) => {
    if (value === null) return 'null';
    if (typeof value === 'string') return quote(value);
    if (typeof value === 'boolean') return value ? 'true' : 'false';
    if (typeof value === 'number') return isFinite(value) ? '' + value : refuse('' + value);
    if (typeof value !== 'object') return refuse(value === undefined ? 'undefined' : 'a ' + typeof value);
    return isArray(value) ? encodeArray(value) : encodeObject(value);
  };
  const describe = (thrown) => {
    if (typeof thrown !== 'object' || thrown === null) return 'threw a ' + typeof thrown;
    const { name, message } = thrown;
    return typeof name === 'string' && typeof message === 'string' ? name + ': ' + message : 'threw';
  };
  const silent = () => {};
  globalThis.console = { log: silent, info: silent, warn: silent, error: silent, debug: silent };
  return { encode, describe, parse: JSON.parse, apply: Reflect.apply };
})()`;

/** The functions of `bridgeSource` in one context, which no program can reach or replace. */
interface Bridge {
  encode: QuickJSHandle;
  describe: QuickJSHandle;
  parse: QuickJSHandle;
  apply: QuickJSHandle;
}

/** The interpreter, its memory as a whole bounded too. Programs run one after the other. */
export class Interpreter {
  readonly #wasm: QuickJSWASMModule;
  readonly #limits: SandboxLimits;

  private constructor(wasm: QuickJSWASMModule, limits: SandboxLimits) {
    this.#wasm = wasm;
    this.#limits = limits;
  }

  static async load(limits: SandboxLimits): Promise<Interpreter> {
    const initial = (16 * mebibyte) / wasmPageBytes;
    const maximum = initial + (4 * limits.memoryLimitMb * mebibyte) / wasmPageBytes;
    const wasmMemory = new WebAssembly.Memory({ initial, maximum });
    const wasm = await newQuickJSWASMModuleFromVariant(newVariant(variant, { wasmMemory }));
    return new Interpreter(wasm, limits);
  }

  /**
   * Run a program and its calls. What the program does wrong is in the outcome.
   * @throws whatever breaks the interpreter itself, which is then unfit for another program.
   */
  run(program: SandboxProgram): ProgramOutcome {
    return Scope.withScope((scope) => {
      const runtime = scope.manage(this.#wasm.newRuntime());
      runtime.setMemoryLimit(this.#limits.memoryLimitMb * mebibyte);
      runtime.setMaxStackSize(stackBytes);
      const context = scope.manage(runtime.newContext());
      const bridge = takeBridge(context, scope);
      const execution = new Execution(context, bridge, this.#limits.timeLimitMs * ticksPerMs);
      runtime.setInterruptHandler(() => execution.tick());
      return execution.run(program, scope);
    });
  }
}

function takeBridge(context: QuickJSContext, scope: Scope): Bridge {
  const functions = scope.manage(context.unwrapResult(context.evalCode(bridgeSource)));
  const take = (name: string) => scope.manage(context.getProp(functions, name));
  return {
    encode: take('encode'),
    describe: take('describe'),
    parse: take('parse'),
    apply: take('apply'),
  };
}

/** One program in one context. */
class Execution {
  readonly #context: QuickJSContext;
  readonly #bridge: Bridge;
  #ticksLeft: number;
  #charsLeft = maxReturnedChars;

  constructor(context: QuickJSContext, bridge: Bridge, ticks: number) {
    this.#context = context;
    this.#bridge = bridge;
    this.#ticksLeft = ticks;
  }

  /** Count a tick. @returns whether the program must end. */
  tick(): boolean {
    return --this.#ticksLeft < 0;
  }

  run({ source, entry, calls }: SandboxProgram, scope: Scope): ProgramOutcome {
    const asScript = { type: 'global' } as const;
    const defined = this.#context.evalCode(source, 'program.js', asScript);
    if (defined.error) return calls.map(constant(this.#fail(defined.error)));
    defined.value.dispose();
    const found = this.#context.evalCode(entry, 'entry.js', asScript);
    if (found.error) return calls.map(constant(this.#fail(found.error)));
    const callee = scope.manage(found.value);
    return calls.map((args) =>
      typeof args === 'string'
        ? this.#call(callee, args)
        : { failed: 'is a test for Python alone' },
    );
  }

  #call(callee: QuickJSHandle, argsText: string): CallOutcome {
    const text = this.#context.newString(argsText);
    const args = this.#invoke(this.#bridge.parse, text);
    text.dispose();
    if ('failed' in args) return args;
    const returned = this.#invoke(this.#bridge.apply, callee, this.#context.undefined, args.value);
    args.value.dispose();
    if ('failed' in returned) return returned;
    const encoded = this.#invoke(this.#bridge.encode, returned.value);
    returned.value.dispose();
    return 'failed' in encoded ? encoded : this.#read(encoded.value);
  }

  #read(encoded: QuickJSHandle): CallOutcome {
    const returned = encoded.consume((handle) => this.#context.getString(handle));
    this.#charsLeft -= returned.length;
    if (this.#charsLeft >= 0) return { returned };
    return { failed: `returned more than ${maxReturnedChars} characters of JSON` };
  }

  #invoke(
    callee: QuickJSHandle,
    ...args: QuickJSHandle[]
  ): { value: QuickJSHandle } | { failed: string } {
    if (this.#ticksLeft < 0) return { failed: 'time limit' };
    const result = this.#context.callFunction(callee, this.#context.undefined, ...args);
    return result.error ? this.#fail(result.error) : { value: result.value };
  }

  /** Put an error into words for people, by the program's leave: it may throw once more. */
  #fail(error: QuickJSHandle): { failed: string } {
    const isTime = this.#ticksLeft < 0;
    const words = isTime
      ? undefined
      : this.#context.callFunction(this.#bridge.describe, this.#context.undefined, error);
    error.dispose();
    if (!words) return { failed: 'time limit' };
    if (words.error) words.error.dispose();
    const text = words.error ? 'threw' : words.value.consume((it) => this.#context.getString(it));
    return { failed: text.slice(0, 200) };
  }
}

function constant<T>(value: T): () => T {
  return () => value;
}
