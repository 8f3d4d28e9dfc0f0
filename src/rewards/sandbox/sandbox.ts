// Runs generated programs in an isolated process and keeps the time from outside: if a program
// exceeds its limit, only that program is lost with the process, and none of its neighbours.
// verdict.ts compares what programs return with what was expected.

import { AnnealError, type ErrorKind } from '../../errors.ts';
import { ChildService, entryUrl } from '../../process/child-service.ts';
import { isolationFlags } from './isolation.ts';
import type {
  Language,
  ProgramOutcome,
  SandboxCall,
  SandboxLimits,
  SandboxMethods,
  SandboxProgram,
} from './protocol.ts';
import { launchOf } from './stack.ts';

/** Errors of a process that a program has broken. */
const lostKinds: readonly ErrorKind[] = ['ProcessLost', 'OutOfMemory'];

/** How long past its time limit a program may block the process. */
const graceMs = 1000;
const loadTimeoutMs = 30_000;
/** Programs per message; bounds the memory used between the processes. */
const batchSize = 64;

export interface SandboxOptions {
  /** Aborting ends the sandbox process and rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Called after each program with the number done. */
  onProgress?: ((done: number) => void) | undefined;
}

/** A queue in front of one sandbox process, which starts on first use. */
export class Sandbox {
  readonly #limits: SandboxLimits;
  readonly #language: Language;
  readonly #service: ChildService<SandboxMethods>;
  #queue: Promise<unknown> = Promise.resolve();
  /** The process that is loaded, and whether it can run tests that assert. */
  #loaded: { pid: number | undefined; asserts: boolean } | undefined;

  constructor(limits: SandboxLimits, language: Language = 'javascript') {
    this.#limits = limits;
    this.#language = language;
    this.#service = new ChildService({
      entry: entryUrl(import.meta.url, './sandbox-process'),
      name: 'sandbox',
      ...launchOf(language, [...isolationFlags(language), ...heapFlags(limits, language)]),
      env: { TZ: 'UTC' },
    });
  }

  /** Process id of the sandbox process, while one runs. */
  get pid(): number | undefined {
    return this.#service.pid;
  }

  /**
   * Run programs; outcomes in order. A program's errors are in its outcome.
   * @throws AnnealError ProcessLost if no sandbox process can be started.
   */
  run(programs: SandboxProgram[], options: SandboxOptions = {}): Promise<ProgramOutcome[]> {
    const turn = this.#queue.then(() => this.#runAll(programs, options));
    this.#queue = turn.catch(() => {});
    return turn;
  }

  /** End the sandbox process. */
  close(): Promise<void> {
    return this.#service.close();
  }

  async #runAll(programs: SandboxProgram[], { signal, onProgress }: SandboxOptions) {
    const outcomes: ProgramOutcome[] = [];
    const push = (outcome: ProgramOutcome) => {
      outcomes.push(outcome);
      onProgress?.(outcomes.length);
    };
    while (outcomes.length < programs.length) {
      const batch = programs.slice(outcomes.length, outcomes.length + batchSize);
      const lost = await this.#runBatch(batch, signal, push);
      const suspect = programs[outcomes.length];
      if (lost && suspect) push(await this.#charge(suspect, lost, signal));
    }
    return outcomes;
  }

  /** Run a batch. @returns why the first program without outcome lost the process, null if none. */
  async #runBatch(
    batch: SandboxProgram[],
    signal: AbortSignal | undefined,
    onOutcome: (outcome: ProgramOutcome) => void,
  ): Promise<Error | null> {
    const asserts = batch.some(({ calls }) => calls.some(isAssert));
    await this.#load(asserts, signal);
    const watch = new Watch(this.#limits.timeLimitMs + graceMs);
    const onProgress = (outcome: ProgramOutcome) => {
      watch.restart();
      onOutcome(outcome);
    };
    try {
      const either = signal ? AbortSignal.any([signal, watch.signal]) : watch.signal;
      await this.#service.call('run', batch, { signal: either, onProgress });
      return null;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof AnnealError && lostKinds.includes(error.kind)) return error;
      throw error;
    } finally {
      watch.stop();
    }
  }

  /**
   * The outcome of the program at which the process was lost. A timeout is the program's fault; a
   * crash may not be, so the program is tried once more by itself.
   */
  async #charge(
    program: SandboxProgram,
    lost: Error,
    signal: AbortSignal | undefined,
  ): Promise<ProgramOutcome> {
    let outcome: ProgramOutcome | undefined;
    if (!(lost instanceof Overdue))
      await this.#runBatch([program], signal, (retried) => {
        outcome = retried;
      });
    const failed = lost instanceof Overdue ? 'time limit' : 'broke the interpreter';
    return outcome ?? program.calls.map(() => ({ failed }));
  }

  async #load(asserts: boolean, signal: AbortSignal | undefined): Promise<void> {
    const { pid } = this.#service;
    const isLoaded = pid !== undefined && pid === this.#loaded?.pid;
    if (isLoaded && (this.#loaded?.asserts || !asserts)) return;
    const payload = { ...this.#limits, language: this.#language, asserts };
    await this.#service.call('load', payload, { signal, timeoutMs: loadTimeoutMs });
    this.#loaded = { pid: this.#service.pid, asserts };
  }
}

function isAssert(call: SandboxCall): boolean {
  return typeof call === 'object' && 'assert' in call;
}

const shared = new Map<string, Sandbox>();

/** This process's sandbox for a language and limits; it lives as long as the process. */
export function sharedSandbox(limits: SandboxLimits, language: Language = 'javascript'): Sandbox {
  const key = `${language}, ${limits.timeLimitMs} ms, ${limits.memoryLimitMb} MiB`;
  const sandbox = shared.get(key) ?? new Sandbox(limits, language);
  shared.set(key, sandbox);
  return sandbox;
}

/** The compiler uses Node's heap; interpreters have their own memory and limit it themselves. */
function heapFlags({ memoryLimitMb }: SandboxLimits, language: Language): string[] {
  return language === 'typescript' ? [`--max-old-space-size=${memoryLimitMb}`] : [];
}

class Overdue extends AnnealError {}

/** A timer that aborts its signal unless it is restarted in time. */
class Watch {
  readonly #limitMs: number;
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.restart();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  restart(): void {
    this.stop();
    this.#timer = setTimeout(() => this.#expire(), this.#limitMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** If this process was busy, timers fire before messages that arrived in the meantime. */
  #expire(): void {
    const expired = this.#timer;
    setImmediate(() => {
      if (this.#timer === expired)
        this.#abort.abort(new Overdue('ProcessLost', `no outcome within ${this.#limitMs} ms`));
    });
  }
}
