// Guards every function that the Python interpreter in WebAssembly imports from this process. While
// a program runs, those that only compute or read the standard library are allowed; time, randomness,
// input and output are replaced; all others are refused. Whatever a program finds in the
// interpreter, it cannot reach JavaScript.

/** The part used here; TypeScript declares it only in the browser's library. */
export interface WasmApi {
  compile: (bytes: Uint8Array) => Promise<object>;
  instantiate: (bytes: object, imports?: Imports) => Promise<unknown>;
  Module: { imports: (module: object) => { module: string; name: string; kind: string }[] };
}
type WasmFunction = (...args: number[]) => unknown;
type Imports = Record<string, Record<string, unknown>>;

/** Thrown through the interpreter; no `except` catches it. The interpreter must be restored then. */
export class Stopped extends Error {}

/** Input and output of a program while the gate is closed. */
export interface Host {
  /** Bytes written to a file descriptor. @throws Stopped to end the program. */
  write: (fd: number, bytes: Uint8Array) => void;
  /** At most `size` bytes of the standard input; none at its end. */
  read: (size: number) => Uint8Array;
}

/** Imports that compute, read the standard library's files, or return its settings or the user id. */
const harmless = new Set([
  '_PyEM_TrampolineCall_JS',
  '__syscall_faccessat',
  '__syscall_fstat64',
  '__syscall_getcwd',
  '__syscall_getdents64',
  '__syscall_getuid32_js',
  '__syscall_lstat64',
  '__syscall_newfstatat',
  '__syscall_readlinkat',
  '__syscall_stat64',
  '_gmtime_js',
  '_localtime_js',
  '_mktime_js',
  '_timegm_js',
  '_tzset_js',
  'clock_res_get',
  'environ_get',
  'environ_sizes_get',
  'fd_fdstat_get',
  'fd_pread',
  'fd_seek',
  'emscripten_get_heap_max',
  'emscripten_runtime_keepalive_push',
  'emscripten_runtime_keepalive_pop',
]);
/** Open flags that would write, create or truncate: O_ACCMODE, O_CREAT, O_TRUNC. */
const writingFlags = 0o3 | 0o100 | 0o1000;
const errno = { badFile: 8, notTty: 59, notPermitted: 63, readOnly: 69 };
const standardFds = 3;
const getFlagsCommands = new Set([1, 2, 3]);
const startOfTime = Date.UTC(2024, 0, 1);

/** The gate of one interpreter: open while the interpreter is set up, closed from then on. */
export class Gate {
  #host: Host | null = null;
  #ticks = 0;
  #mostTicks = 0;
  #readings = 0;
  #randomState = 0;
  #growMemory: WasmFunction = () => 0;
  #memory: { buffer: ArrayBuffer } | null = null;

  /** Close it for a program, which may tick so often; it is never opened again. */
  close(memory: { buffer: ArrayBuffer }, host: Host, mostTicks: number): void {
    this.#memory = memory;
    this.#host = host;
    this.#ticks = 0;
    this.#mostTicks = mostTicks;
    this.#readings = 0;
    this.#randomState = 1;
  }

  /** Ticks since it was closed. */
  get ticks(): number {
    return this.#ticks;
  }

  /** Grow the interpreter's memory to a size, while the gate is open. */
  growMemory(bytes: number): void {
    this.#growMemory(bytes);
  }

  /** The imports, with the gate in front of each function. */
  guard(module: object, imports: Imports, wasm: WasmApi): Imports {
    this.#growMemory = imports.env!.emscripten_resize_heap as WasmFunction;
    const guarded: Imports = {};
    for (const { module: group, name, kind } of wasm.Module.imports(module)) {
      guarded[group] ??= {};
      const value = imports[group]?.[name];
      guarded[group][name] = kind === 'function' ? this.#wrap(name, value as WasmFunction) : value;
    }
    return guarded;
  }

  #wrap(name: string, real: WasmFunction): WasmFunction {
    const own = this.#own[name];
    const closed = own ? own(real) : harmless.has(name) ? real : refusal(name);
    return (...args) => (this.#host ? closed(...args) : real(...args));
  }

  /** Imports with a replacement while a program runs. */
  readonly #own: Record<string, (real: WasmFunction) => WasmFunction> = {
    _Py_CheckEmscriptenSignals_Helper: () => () => this.#tick(),
    __syscall_fcntl64:
      (real) =>
      (fd, command, ...rest) =>
        getFlagsCommands.has(command!) ? real(fd!, command!, ...rest) : -errno.notPermitted,
    __syscall_ioctl: () => () => -errno.notTty,
    __syscall_openat: (real) => (folder, path, flags, rest) =>
      flags! & writingFlags ? -errno.readOnly : real(folder!, path!, flags!, rest!),
    can_run_sync_js: () => () => 0,
    clock_time_get: () => (_clock, _precision, out) => {
      this.#view().setBigUint64(out!, BigInt(this.#now()) * 1_000_000n, true);
      return 0;
    },
    emscripten_date_now: () => () => this.#now(),
    emscripten_get_now: () => () => this.#now() - startOfTime,
    // Memory does not grow: every program starts with the full size, however much others used.
    emscripten_resize_heap: () => () => 0,
    exit: () => stop('exited'),
    fd_close: (real) => (fd) => (fd! < standardFds ? 0 : real(fd!)),
    fd_read: (real) => (fd, vectors, count, out) =>
      fd === 0 ? this.#read(vectors!, count!, out!) : real(fd!, vectors!, count!, out!),
    fd_write: () => (fd, vectors, count, out) => this.#write(fd!, vectors!, count!, out!),
    proc_exit: () => stop('exited'),
    random_get: () => (out, size) => this.#random(out!, size!),
  };

  #tick(): number {
    if (++this.#ticks > this.#mostTicks) throw new Stopped('time limit');
    return 0;
  }

  /** A clock that advances a millisecond per reading, so that waiting ends and costs ticks. */
  #now(): number {
    this.#tick();
    return startOfTime + this.#readings++;
  }

  #random(out: number, size: number): number {
    const bytes = this.#bytes().subarray(out, out + size);
    for (let index = 0; index < bytes.length; index++) {
      this.#randomState = (Math.imul(this.#randomState, 1_664_525) + 1_013_904_223) >>> 0;
      bytes[index] = this.#randomState >>> 24;
    }
    return 0;
  }

  #read(vectors: number, count: number, out: number): number {
    let total = 0;
    for (const { start, size } of this.#vectors(vectors, count)) {
      const bytes = this.#host!.read(size);
      this.#bytes().set(bytes, start);
      total += bytes.length;
      if (bytes.length < size) break;
    }
    this.#view().setUint32(out, total, true);
    return 0;
  }

  #write(fd: number, vectors: number, count: number, out: number): number {
    let total = 0;
    for (const { start, size } of this.#vectors(vectors, count)) {
      this.#host!.write(fd, this.#bytes().slice(start, start + size));
      total += size;
    }
    this.#view().setUint32(out, total, true);
    return 0;
  }

  /** The pairs of address and size that WASI passes. */
  #vectors(at: number, count: number): { start: number; size: number }[] {
    const view = this.#view();
    return Array.from({ length: count }, (_, index) => ({
      start: view.getUint32(at + 8 * index, true),
      size: view.getUint32(at + 8 * index + 4, true),
    }));
  }

  #bytes(): Uint8Array {
    return new Uint8Array(this.#memory!.buffer);
  }

  #view(): DataView {
    return new DataView(this.#memory!.buffer);
  }
}

function stop(why: string): WasmFunction {
  return () => {
    throw new Stopped(why);
  };
}

/** System calls fail as in POSIX; anything else ends the program. */
function refusal(name: string): WasmFunction {
  if (name.startsWith('__syscall_')) return () => -errno.notPermitted;
  if (name.startsWith('fd_')) return () => errno.badFile;
  return stop(`reached for the host (${name})`);
}
