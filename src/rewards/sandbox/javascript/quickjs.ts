// QuickJS compiled to WebAssembly, metered, with a memory of its own.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import releaseSync from '@jitl/quickjs-wasmfile-release-sync';
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core';
import { Fuel, metered } from '../wasm/fuel.ts';

const wasmPageBytes = 65_536;
const mebibyte = 1024 * 1024;
/** The package declares its ES module with the types of its CommonJS one. */
const variant = releaseSync as unknown as QuickJSSyncVariant;

/** The part used here; TypeScript declares it only in the browser's library. */
declare const WebAssembly: {
  Memory: new (pages: { initial: number; maximum: number }) => object;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: object };
};

/** One instance. Once its fuel is used up, it is broken. */
export interface QuickJs {
  wasm: QuickJSWASMModule;
  fuel: Fuel;
}

/** The code, which all instances share. */
let compiled: object | undefined;

export async function loadQuickJs(memoryLimitMb: number): Promise<QuickJs> {
  compiled ??= new WebAssembly.Module(metered(readFileSync(wasmPath())));
  const initial = (16 * mebibyte) / wasmPageBytes;
  const maximum = initial + (4 * memoryLimitMb * mebibyte) / wasmPageBytes;
  let exports: object | undefined;
  const instantiateWasm = (imports: object, receive: (instance: object) => void) => {
    const instance = new WebAssembly.Instance(compiled!, imports);
    exports = instance.exports;
    receive(instance);
    return exports;
  };
  const options = {
    wasmMemory: new WebAssembly.Memory({ initial, maximum }),
    emscriptenModule: { instantiateWasm },
  };
  const wasm = await newQuickJSWASMModuleFromVariant(newVariant(variant, options));
  return { wasm, fuel: new Fuel(exports!) };
}

function wasmPath(): string {
  return createRequire(import.meta.url).resolve('@jitl/quickjs-wasmfile-release-sync/wasm');
}
