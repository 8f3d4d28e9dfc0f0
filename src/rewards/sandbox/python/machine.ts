// One Python interpreter (Pyodide) whose memory is restored, byte for byte, to its state after set-up:
// nothing that a program did to modules, builtins or the heap affects the next. It is controlled
// from outside, through the C functions that the interpreter exports, so that a program finds no
// Python code around itself.

import { constants } from 'node:fs';
import { loadPyodide } from 'pyodide';
import type { SandboxLimits } from '../protocol.ts';
import { Fuel, fuelFor, metered } from '../wasm/fuel.ts';
import { Gate, type Host, Stopped, type WasmApi } from './gate.ts';
import { NotJson } from './marshal.ts';
import { marshalPlain, type PlainDataExports } from './plain-data.ts';

declare const WebAssembly: WasmApi & { RuntimeError: new () => Error };

/** The interpreter ticks every 50 calls and backward jumps; this many take about a millisecond. */
const ticksPerMs = 200;
const eventsPerTick = 50;
const mebibyte = 1024 * 1024;
const mostMessageChars = 200;
const fileInput = 257;
/** PyCF_SOURCE_IS_UTF8 and PyCF_IGNORE_COOKIE: a coding cookie is only a comment, as for reviews. */
const alwaysUtf8 = 0x100 | 0x800;
const pythonMinor = 14;
const defaultOptimize = -1;
/** Flags of types: defined while running, subclass of int. The slot of a type's base. */
const heapTypeFlag = 1 << 9;
const intFlag = 1 << 24;
const baseSlot = 48;
/** What a call may return, marshalled; JSON text of it may be a fifth of that. */
const mostReturnedBytes = 2 * mebibyte;
/** Built-in modules that read and write memory, start processes or reach for JavaScript. */
const removedModules = new Set([
  '_ctypes',
  '_ctypes_test',
  '_posixsubprocess',
  '_pyodide_core',
  '_testcapi',
  '_testinternalcapi',
  'faulthandler',
]);

/** The address of a Python object, 0 for none; and the address of text or bytes. */
type PyObject = number;
type Address = number;

interface Exports extends PlainDataExports {
  __stack_pointer: { value: number };
  __stack_low: { value: number };
  Py_EMSCRIPTEN_SIGNAL_HANDLING: { value: Address };
  _Py_emscripten_signal_clock: { value: Address };
  PyImport_Inittab: { value: Address };
  emscripten_get_sbrk_ptr: () => Address;
  Py_CompileStringExFlags: (
    text: Address,
    file: Address,
    start: number,
    flags: Address,
    optimize: number,
  ) => PyObject;
  PyEval_EvalCode: (code: PyObject, globals: PyObject, locals: PyObject) => PyObject;
  PyImport_AddModule: (name: Address) => PyObject;
  PyModule_GetDict: (module: PyObject) => PyObject;
  PyEval_GetBuiltins: () => PyObject;
  Py_IncRef: (value: PyObject) => void;
  PyDict_SetItemString: (dict: PyObject, key: Address, value: PyObject) => number;
  PyDict_GetItemString: (dict: PyObject, key: Address) => PyObject;
  PyObject_Call: (callee: PyObject, args: PyObject, keywords: PyObject) => PyObject;
  PyMarshal_ReadObjectFromString: (bytes: Address, size: number) => PyObject;
  PyErr_GetRaisedException: () => PyObject;
  PyErr_GivenExceptionMatches: (raised: PyObject, type: PyObject) => number;
  PyExc_SystemExit: { value: Address };
  PyObject_GetAttrString: (value: PyObject, name: Address) => PyObject;
  PyLong_AsLong: (value: PyObject) => number;
  PyType_GetSlot: (type: PyObject, slot: number) => number;
  PyType_GetName: (type: PyObject) => PyObject;
  PyObject_Str: (value: PyObject) => PyObject;
  PyUnicode_AsUTF8: (text: PyObject) => Address;
}
interface FileSystem {
  streams: (object | null)[];
  close: (stream: object) => void;
  readdir: (path: string) => string[];
  unlink: (path: string) => void;
  isDir: (mode: number) => boolean;
  stat: (path: string) => { mode: number };
}

/** Steps of the interpreter and of its code. */
export interface Used {
  ticks: number;
  fuel: number;
}

/** A call failed; the message says why. */
export class Failed extends Error {
  /** The exception's built-in class, or the nearest built-in one that its class inherits from. */
  readonly raised: string | undefined;
  /** The exit status, if the program exited by SystemExit. */
  readonly exitStatus: number | undefined;

  constructor(message: string, raised?: string, exitStatus?: number) {
    super(message);
    this.raised = raised;
    this.exitStatus = exitStatus;
  }
}

/** A Python interpreter for one program at a time: `restore`, then `define` and `call`. */
export class PythonMachine {
  readonly #gate: Gate;
  readonly #exports: Exports;
  readonly #files: FileSystem;
  readonly #fuel: Fuel;
  readonly #limits: Used;
  /** Memory below the stack, and from the stack pointer on; between programs the rest is unused. */
  readonly #below: Uint8Array;
  readonly #above: Uint8Array;
  readonly #stackPointer: number;
  /** Fuel at the last restore. */
  #given = 0;
  #stoppedBy: string | null = null;
  /** The names of the module defined last. */
  #globals: PyObject = 0;

  private constructor(gate: Gate, exports: Exports, files: FileSystem, limits: SandboxLimits) {
    this.#gate = gate;
    this.#exports = exports;
    this.#files = files;
    this.#fuel = new Fuel(exports);
    this.#limits = {
      ticks: limits.timeLimitMs * ticksPerMs,
      fuel: fuelFor(limits.timeLimitMs),
    };
    this.#stackPointer = exports.__stack_pointer.value;
    const taken = this.#memoryTaken();
    const { buffer } = exports.memory;
    this.#below = new Uint8Array(buffer).slice(0, exports.__stack_low.value);
    this.#above = new Uint8Array(buffer).slice(this.#stackPointer, taken);
    gate.growMemory(taken + limits.memoryLimitMb * mebibyte);
  }

  /** Load an interpreter and run `setup` in it; programs start from that state. */
  static async load(limits: SandboxLimits, setup: string): Promise<PythonMachine> {
    const gate = new Gate();
    const { exports, pyodide } = await instantiate(gate);
    const files = pyodide.FS as unknown as FileSystem;
    removeDevices(files);
    pyodide.runPython(setup);
    removeModules(exports);
    const view = new DataView(exports.memory.buffer);
    view.setInt32(exports.Py_EMSCRIPTEN_SIGNAL_HANDLING.value, 1, true);
    view.setInt32(exports._Py_emscripten_signal_clock.value, eventsPerTick, true);
    return new PythonMachine(gate, exports, files, limits);
  }

  /** Restore the state from which programs start. @param used what the program used before */
  restore(host: Host, used: Used = { ticks: 0, fuel: 0 }): void {
    this.#fuel.refill();
    const taken = this.#memoryTaken();
    const memory = new Uint8Array(this.#exports.memory.buffer);
    memory.set(this.#below);
    memory.set(this.#above, this.#stackPointer);
    const end = this.#stackPointer + this.#above.length;
    if (taken > end) memory.fill(0, end, taken);
    this.#exports.__stack_pointer.value = this.#stackPointer;
    for (const [fd, stream] of this.#files.streams.entries())
      if (fd > 2 && stream) this.#files.close(stream);
    this.#stoppedBy = null;
    this.#gate.close(this.#exports.memory, host, this.#limits.ticks - used.ticks);
    this.#given = this.#limits.fuel - used.fuel;
    this.#fuel.left = this.#given;
  }

  /** What was used since the last restore. */
  get used(): Used {
    return { ticks: this.#gate.ticks, fuel: this.#given - this.#fuel.left };
  }

  /** Run a program's text as a module; only `__main__` runs main guards. @throws Failed */
  define(source: string, module = '__main__'): void {
    if (source.includes('\0'))
      throw new Failed('SyntaxError: source code cannot contain null bytes');
    this.#guard(() => {
      const { Py_CompileStringExFlags, PyEval_EvalCode, Py_DecRef } = this.#exports;
      this.#globals = this.#globalsOf(module);
      const [text, file] = [this.#put(source), this.#put('program.py')];
      const flags = this.#putBytes(new Uint8Array(Int32Array.of(alwaysUtf8, pythonMinor).buffer));
      const compiled = this.#check(
        Py_CompileStringExFlags(text, file, fileInput, flags, defaultOptimize),
      );
      Py_DecRef(this.#check(PyEval_EvalCode(compiled, this.#globals, this.#globals)));
    });
  }

  /**
   * Call a function of the module defined last.
   * @param args its arguments, a marshalled tuple
   * @returns what it returned, as plain data, marshalled. @throws Failed, NotJson
   */
  call(name: string, args: Buffer): Buffer {
    return this.#guard(() => {
      const tuple = this.#unmarshal(args);
      const bytes = this.#apply(name, tuple, 0);
      this.#exports.Py_DecRef(tuple);
      return bytes;
    });
  }

  /** The same with arguments by name: a marshalled pair of a tuple and a dict. */
  callWithKeywords(name: string, both: Buffer): Buffer {
    return this.#guard(() => {
      const pair = this.#unmarshal(both);
      const [args, keywords] = [0, 1].map((at) => this.#exports.PyTuple_GetItem(pair, at));
      const bytes = this.#apply(name, args!, keywords!);
      this.#exports.Py_DecRef(pair);
      return bytes;
    });
  }

  #apply(name: string, args: PyObject, keywords: PyObject): Buffer {
    const { PyDict_GetItemString, PyObject_Call, Py_DecRef, free } = this.#exports;
    const key = this.#put(name);
    const callee = PyDict_GetItemString(this.#globals, key);
    free(key);
    if (callee === 0) throw new Failed(`NameError: name '${name}' is not defined`);
    const returned = this.#check(PyObject_Call(callee, args, keywords));
    const bytes = this.#marshal(returned);
    Py_DecRef(returned);
    return bytes;
  }

  #unmarshal(bytes: Buffer): PyObject {
    const at = this.#putBytes(bytes);
    const value = this.#check(this.#exports.PyMarshal_ReadObjectFromString(at, bytes.length));
    this.#exports.free(at);
    return value;
  }

  #marshal(value: PyObject): Buffer {
    return marshalPlain(this.#exports, value, mostReturnedBytes, (type) =>
      this.#text(this.#exports.PyType_GetName(type)),
    );
  }

  /** The object. @throws Failed with what was raised if there is none. */
  #check(value: PyObject): PyObject {
    if (value !== 0) return value;
    const raised = this.#exports.PyErr_GetRaisedException();
    const name = this.#typeName(raised);
    const words = this.#exports.PyObject_Str(raised);
    const message = words === 0 ? '' : this.#text(words);
    this.#exports.PyErr_Clear();
    throw new Failed(
      (message ? `${name}: ${message}` : name).slice(0, mostMessageChars),
      this.#builtinName(raised),
      this.#exitStatus(raised),
    );
  }

  #builtinName(raised: PyObject): string {
    const { PyObject_Type, PyType_GetFlags, PyType_GetSlot, PyType_GetName } = this.#exports;
    let type = PyObject_Type(raised);
    while (PyType_GetFlags(type) & heapTypeFlag) type = PyType_GetSlot(type, baseSlot);
    return this.#text(PyType_GetName(type));
  }

  /** As `python` exits: 0 without a code, a number as it is, 1 for any other object. */
  #exitStatus(raised: PyObject): number | undefined {
    const exports = this.#exports;
    const systemExit = this.#view().getUint32(exports.PyExc_SystemExit.value, true);
    if (exports.PyErr_GivenExceptionMatches(raised, systemExit) === 0) return undefined;
    const code = exports.PyObject_GetAttrString(raised, this.#put('code'));
    if (code === exports._Py_NoneStruct.value) return 0;
    const isInt = code !== 0 && exports.PyType_GetFlags(exports.PyObject_Type(code)) & intFlag;
    const status = isInt ? exports.PyLong_AsLong(code) : 1;
    exports.PyErr_Clear();
    return status;
  }

  #typeName(value: PyObject): string {
    return this.#text(this.#exports.PyType_GetName(this.#exports.PyObject_Type(value)));
  }

  #text(text: PyObject): string {
    const at = this.#exports.PyUnicode_AsUTF8(text);
    if (at === 0) return '';
    const bytes = this.#bytes().subarray(at, at + 4 * mostMessageChars);
    const end = bytes.indexOf(0);
    return Buffer.from(bytes.subarray(0, end < 0 ? undefined : end)).toString();
  }

  /** Turn every error of a program into Failed; the machine stays usable. */
  #guard<T>(action: () => T): T {
    if (this.#stoppedBy) throw new Failed(this.#stoppedBy);
    try {
      return action();
    } catch (error) {
      if (error instanceof Failed || error instanceof NotJson) throw error;
      this.#stoppedBy = this.#fuel.isSpent ? 'time limit' : reasonOf(error);
      throw new Failed(this.#stoppedBy);
    }
  }

  /** The names of a module, which stay even if a program removes the module. */
  #globalsOf(module: string): PyObject {
    const { PyModule_GetDict, PyImport_AddModule, Py_IncRef } = this.#exports;
    const { PyDict_SetItemString, PyEval_GetBuiltins } = this.#exports;
    const globals = PyModule_GetDict(PyImport_AddModule(this.#put(module)));
    PyDict_SetItemString(globals, this.#put('__builtins__'), PyEval_GetBuiltins());
    Py_IncRef(globals);
    return globals;
  }

  #put(text: string): Address {
    return this.#putBytes(Buffer.from(`${text.toWellFormed()}\0`));
  }

  #putBytes(bytes: Uint8Array): Address {
    const at = this.#exports.malloc(bytes.length);
    if (at === 0) throw new Stopped('out of memory');
    this.#bytes().set(bytes, at);
    return at;
  }

  #memoryTaken(): number {
    return this.#view().getUint32(this.#exports.emscripten_get_sbrk_ptr(), true);
  }

  #bytes(): Uint8Array {
    return new Uint8Array(this.#exports.memory.buffer);
  }

  #view(): DataView {
    return new DataView(this.#exports.memory.buffer);
  }
}

/** Why a program was stopped. @throws an error that no program can cause. */
function reasonOf(error: unknown): string {
  if (error instanceof Stopped) return error.message;
  if (error instanceof RangeError) return 'stack overflow';
  if (error instanceof WebAssembly.RuntimeError) return 'broke the interpreter';
  throw error;
}

/** The interpreter's code, which all machines of this process share. */
let compiled: Promise<object> | undefined;

/** Load Pyodide with the gate in front of its imports and no JavaScript globals. */
async function instantiate(gate: Gate) {
  const { instantiate: real } = WebAssembly;
  let exports: Exports | undefined;
  WebAssembly.instantiate = async (bytes, imports) => {
    if (!imports?.env) return real(bytes, imports);
    compiled ??= WebAssembly.compile(metered(bytes as Uint8Array));
    const module = await compiled;
    const guarded = gate.guard(module, imports, WebAssembly);
    const instance = (await real(module, guarded)) as { exports: Exports };
    exports = instance.exports;
    return { module, instance };
  };
  // The permission model forbids process.binding, from which Pyodide reads the flags of `open`.
  Object.assign(process, { binding: () => ({ fs: constants }) });
  try {
    const pyodide = await loadPyodide({
      jsglobals: {},
      env: { PYTHONHASHSEED: '0', HOME: '/', _: '' },
    });
    if (!exports) throw new Error('expected Pyodide to instantiate its module, found none');
    return { exports, pyodide };
  } finally {
    WebAssembly.instantiate = real;
  }
}

/** Remove the devices: its terminal and its source of randomness are Node's. */
function removeDevices(files: FileSystem): void {
  for (const name of files.readdir('/dev')) {
    const path = `/dev/${name}`;
    if (!name.startsWith('.') && !files.isDir(files.stat(path).mode)) files.unlink(path);
  }
}

/** Remove modules from the interpreter's table of built-in ones, by corrupting their names. */
function removeModules({ memory, PyImport_Inittab }: Exports): void {
  const view = new DataView(memory.buffer);
  const bytes = new Uint8Array(memory.buffer);
  const entryBytes = 8;
  for (let at = view.getUint32(PyImport_Inittab.value, true); ; at += entryBytes) {
    const name = view.getUint32(at, true);
    if (name === 0) return;
    const text = Buffer.from(bytes.subarray(name, bytes.indexOf(0, name))).toString();
    if (removedModules.has(text)) bytes[name] = 0xff;
  }
}
