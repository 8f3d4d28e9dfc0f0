// Keeps a worker process (worker-process.ts) alive: starts it, restarts it when it dies, and shuts it
// down.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { AnnealError } from '../errors.ts';
import { entryUrl } from '../process/child-service.ts';
import { RecentOutput } from '../process/recent-output.ts';
import { identityOf } from './hand-back.ts';
import type { WorkerSettings } from './worker.ts';

export interface SupervisorOptions extends WorkerSettings {
  /** Receives lines for users, such as the death of a worker. */
  log: (line: string) => void;
  /** Receives every line that the worker writes: mostly Temporal's warnings. */
  output?: (line: string) => void;
}

export interface SupervisedWorker {
  /** Process id of the current worker. */
  readonly pid: number | undefined;
  /** Resolves when a worker first takes work; rejects if it is closed before. */
  readonly ready: Promise<void>;
  /** Shut the worker down: its activities finish within seconds or are handed back. */
  close(): Promise<void>;
}

const firstPauseMs = 200;
const longestPauseMs = 10_000;
/** A worker that lived this long did not fail to start. */
const healthyMs = 10_000;
/** Longer than a forced shutdown of a worker takes. */
const endTimeoutMs = 30_000;
/** How long a dead worker's streams are read on; a process of its own may keep them open. */
const drainMs = 1000;

/** Start a worker process and supervise it until it is closed. */
export function superviseWorker(options: SupervisorOptions): SupervisedWorker {
  return new Supervisor(options);
}

class Supervisor implements SupervisedWorker {
  readonly ready: Promise<void>;
  readonly #options: SupervisorOptions;
  readonly #closing = new AbortController();
  readonly #watch: Promise<void>;
  #resolveReady = () => {};
  #child: ChildProcess | undefined;
  /** Identities of the workers that died since one last took work. */
  #dead: string[] = [];

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#closing.signal.addEventListener('abort', () =>
        reject(new AnnealError('ProcessLost', 'the worker was closed before it was ready')),
      );
    });
    this.ready.catch(() => {});
    this.#watch = this.#keepRunning();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#child?.kill('SIGTERM');
    const force = setTimeout(() => this.#child?.kill('SIGKILL'), endTimeoutMs);
    await this.#watch;
    clearTimeout(force);
  }

  async #keepRunning(): Promise<void> {
    const { signal } = this.#closing;
    let failures = 0;
    while (!signal.aborted) {
      const started = performance.now();
      const { ended, output } = await this.#runOnce();
      if (signal.aborted) return;
      failures = performance.now() - started > healthyMs ? 1 : failures + 1;
      const pauseMs = Math.min(firstPauseMs * 2 ** (failures - 1), longestPauseMs);
      this.#options.log(`the worker ended with ${ended} and is restarted; ${output.describe()}`);
      await delay(pauseMs, undefined, { signal }).catch(() => {});
    }
  }

  /** Run one worker process to its end. @returns its exit code or signal, and its own output */
  async #runOnce(): Promise<{ ended: string; output: RecentOutput }> {
    const child = fork(entryUrl(import.meta.url, './worker-process'), {
      // This process's own flags, such as a guard over its parent, are not for the worker.
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.#child = child;
    const output = new RecentOutput();
    const note = (line: string) => {
      output.add(`${line}\n`);
      this.#options.output?.(line);
    };
    child.on('message', () => {
      this.#dead = [];
      this.#resolveReady();
    });
    child.on('error', (error) => note(String(error)));
    for (const stream of [child.stdout!, child.stderr!]) readLines(stream, note);
    const closed = once(child, 'close').catch(() => {});
    const { server, runsDir, allowPaths, queues } = this.#options;
    const { connectionOptions, namespace } = server;
    const settings: WorkerSettings = {
      server: { connectionOptions, namespace },
      runsDir,
      ...(allowPaths ? { allowPaths } : {}),
      ...(queues ? { queues } : {}),
      inPlaceOf: this.#dead,
    };
    child.send(settings, () => {});
    const [code, killer] = await once(child, 'exit');
    this.#child = undefined;
    this.#dead = [...this.#dead, identityOf(child.pid!)];
    await Promise.race([closed, delay(drainMs)]);
    return { ended: killer ?? `exit code ${code}`, output };
  }
}

function readLines(stream: NodeJS.ReadableStream, note: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', note);
}
