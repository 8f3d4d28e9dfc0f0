// Runs generated programs in an isolated process. The interpreter there counts their steps; from
// outside, the process is only watched: if it is lost at a program, that program is run again in a
// fresh one, and none of its neighbours is affected. No verdict depends on the clock.
// verdict.ts compares what programs return with what was expected.

import { AnnealError, type ErrorKind } from '../../errors.ts';
import { ChildService, entryUrl } from '../../process/child-service.ts';
import { Idle, Overworked, type WorkLimits, WorkWatch } from '../../process/work-watch.ts';
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
const lostKinds: readonly ErrorKind[] = ['ProcessLost', 'OutOfMemory', 'ProcessStalled'];

/**
 * Processor time of the process for one program. Interpreters end it long before, by steps; this is
 * for what they do not count, such as the TypeScript compiler's work.
 */
const mostCpuMs = (timeLimitMs: number) => 10_000 + 20 * timeLimitMs;
/** Programs have nothing to wait for, so an idle process was stopped, or waits for a lost event. */
const idleMs = 60_000;
/** Fresh processes tried in place of idle ones. */
const mostTries = 3;
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
  readonly #idleMs: number;
  readonly #language: Language;
  readonly #service: ChildService<SandboxMethods>;
  #queue: Promise<unknown> = Promise.resolve();
  /** The process that is loaded, and whether it can run tests that assert. */
  #loaded: { pid: number | undefined; asserts: boolean } | undefined;

  /** @param idle how long its process may use no processor time, in milliseconds */
  constructor(limits: SandboxLimits, language: Language = 'javascript', idle = idleMs) {
    this.#idleMs = idle;
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
   * @throws AnnealError ProcessLost if no sandbox process can be started, ProcessStalled if none works.
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
      if (lost && suspect) push(await this.#repeat(suspect, signal));
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
    const limits = { cpuMs: mostCpuMs(this.#limits.timeLimitMs), idleMs: this.#idleMs };
    try {
      await this.#watched('run', batch, limits, signal, onOutcome);
      return null;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof AnnealError && lostKinds.includes(error.kind)) return error;
      throw error;
    }
  }

  /** Call a method of the process, which ends if it exceeds the limits. */
  async #watched<K extends keyof SandboxMethods>(
    method: K,
    payload: SandboxMethods[K]['payload'],
    limits: WorkLimits,
    signal: AbortSignal | undefined,
    report?: (progress: SandboxMethods[K]['progress']) => void,
  ): Promise<void> {
    const watch = new WorkWatch(() => this.#service.pid, limits);
    const onProgress = (progress: SandboxMethods[K]['progress']) => {
      watch.restart();
      report?.(progress);
    };
    try {
      const either = signal ? AbortSignal.any([signal, watch.signal]) : watch.signal;
      await this.#service.call(method, payload, { signal: either, onProgress });
    } finally {
      watch.stop();
    }
  }

  /**
   * The outcome of a program at which a process was lost, which may not be the program's fault: it is
   * run by itself in a fresh process. If that is lost too, the program is charged for it.
   */
  async #repeat(program: SandboxProgram, signal: AbortSignal | undefined): Promise<ProgramOutcome> {
    let outcome: ProgramOutcome | undefined;
    let lost: Error | null;
    let tries = 0;
    do {
      lost = await this.#runBatch([program], signal, (it) => {
        outcome = it;
      });
    } while (lost instanceof Idle && ++tries < mostTries);
    const isEndless = lost instanceof Overworked || lost instanceof Idle;
    const failed = isEndless ? 'time limit' : 'broke the interpreter';
    return outcome ?? program.calls.map(() => ({ failed }));
  }

  async #load(asserts: boolean, signal: AbortSignal | undefined): Promise<void> {
    const { pid } = this.#service;
    const isLoaded = pid !== undefined && pid === this.#loaded?.pid;
    if (isLoaded && (this.#loaded?.asserts || !asserts)) return;
    const payload = { ...this.#limits, language: this.#language, asserts };
    for (let tries = 1; ; tries++)
      try {
        await this.#watched('load', payload, { idleMs: this.#idleMs }, signal);
        break;
      } catch (error) {
        if (!(error instanceof Idle) || tries === mostTries) throw error;
      }
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
