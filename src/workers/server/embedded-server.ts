// The Temporal server that Anneal runs for itself. Its data and ports outlive it. Every process
// that uses it restarts it if it dies, and the last user to leave ends it. If all users were
// killed, the next one finds the running server.

import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TemporalServer } from './connect.ts';
import type { Log } from './found-server.ts';
import { freePorts, host, type Ports, wellKnownPorts } from './ports.ts';
import { embeddedNamespace, endServer, launchServer } from './server-process.ts';
import {
  isRunning,
  makeDataDir,
  readRecord,
  type ServerRecord,
  withLock,
  writeRecord,
} from './server-record.ts';

const watchMs = 500;
const longestPauseMs = 30_000;
/** A server that ran for this long did not fail to start. */
const healthyMs = 5_000;

export interface StartOptions {
  /** Path of the `temporal` binary. */
  binary: string;
  /** Folder of its database, log and record; created if missing. */
  dataDir: string;
  log: Log;
  /** Ports to use the first time, if they are free; by default 7233 and 8233. */
  ports?: Ports;
}

/**
 * Use the embedded server of `dataDir`: the running one, or a new one with the same data and
 * ports.
 * @throws AnnealError NoServer if it does not start
 */
export async function startServer(options: StartOptions): Promise<TemporalServer> {
  const server = new EmbeddedServer({ ...options, dataDir: resolve(options.dataDir) });
  await server.open();
  return server;
}

class EmbeddedServer implements TemporalServer {
  readonly namespace = embeddedNamespace;
  readonly cliPath: string;
  readonly #options: StartOptions;
  readonly #closing = new AbortController();
  #record: ServerRecord = { pid: null, ...wellKnownPorts, users: [] };
  #watch: Promise<void> | undefined;

  constructor(options: StartOptions) {
    this.#options = options;
    this.cliPath = options.binary;
  }

  get address(): string {
    return `${host}:${this.#record.port}`;
  }

  get uiUrl(): string {
    return `http://${host}:${this.#record.uiPort}`;
  }

  get connectionOptions() {
    return { address: this.address };
  }

  async open(): Promise<void> {
    await makeDataDir(this.#options.dataDir);
    await this.#locked((record) => this.#use(record, [...(record?.users ?? []), process.pid]));
    process.on('exit', this.#onExit);
    this.#watch = this.#watchOver();
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#watch;
    process.off('exit', this.#onExit);
    await this.#locked(async (record) => {
      if (!record) return;
      const users = withoutOne(record.users, process.pid);
      const { dataDir } = this.#options;
      if (users.length > 0) return writeRecord(dataDir, { ...record, users });
      if (record.pid) await endServer(record.pid, () => isRunning(dataDir, record));
      await writeRecord(dataDir, { ...record, pid: null, users });
    });
  }

  #locked(action: (record: ServerRecord | null) => Promise<void>): Promise<void> {
    const { dataDir } = this.#options;
    return withLock(dataDir, () => action(readRecord(dataDir)));
  }

  /** Make sure that a server runs for `users`, and record it. The caller holds the lock. */
  async #use(record: ServerRecord | null, users: number[]): Promise<void> {
    const { dataDir, log, binary } = this.#options;
    if (record && isRunning(dataDir, record)) {
      log(`using the Temporal server on ${host}:${record.port}`);
      this.#record = { ...record, users };
    } else {
      const ports = await this.#choosePorts(record);
      const pid = await launchServer({ binary, dataDir, ports, log });
      this.#record = { ...ports, pid, users };
    }
    await writeRecord(dataDir, this.#record);
  }

  async #choosePorts(record: ServerRecord | null): Promise<Ports> {
    // Connected clients expect a restarted server on its old ports.
    if (this.#watch) return this.#record;
    const { port, uiPort } = record ?? this.#options.ports ?? wellKnownPorts;
    const ports = await freePorts({ port, uiPort });
    if (port && ports.port !== port)
      this.#options.log(
        `ports ${port} and ${uiPort} are in use; using ${ports.port} and ${ports.uiPort}`,
      );
    return ports;
  }

  /** Until closed, restart the server if it died, with growing pauses if it keeps dying. */
  async #watchOver(): Promise<void> {
    let failures = 0;
    let startedAt = performance.now();
    while (await this.#pause(failures === 0 ? watchMs : pauseAfter(failures))) {
      if (isRunning(this.#options.dataDir, this.#record)) {
        if (performance.now() - startedAt > healthyMs) failures = 0;
        continue;
      }
      failures++;
      await this.#restart();
      startedAt = performance.now();
    }
  }

  /** Wait without keeping the process alive; false once the server is being closed. */
  async #pause(ms: number): Promise<boolean> {
    const { signal } = this.#closing;
    await delay(ms, undefined, { signal, ref: false }).catch(() => {});
    return !signal.aborted;
  }

  async #restart(): Promise<void> {
    const { log } = this.#options;
    log('the Temporal server died; restarting it with the same data');
    try {
      await this.#locked((record) => this.#use(record, record?.users ?? [process.pid]));
      log(`the Temporal server is back on ${this.address}`);
    } catch (error) {
      log(`the Temporal server did not start: ${(error as Error).message}`);
    }
  }

  /** The process ends without `close`: there is only time to send a signal. */
  readonly #onExit = (): void => {
    const { dataDir } = this.#options;
    const record = readRecord(dataDir);
    const isLastUser = record?.users.every((user) => user === process.pid);
    if (record?.pid && isLastUser && isRunning(dataDir, record))
      process.kill(record.pid, 'SIGTERM');
  };
}

function pauseAfter(failures: number): number {
  return Math.min(watchMs * 2 ** (failures - 1), longestPauseMs);
}

function withoutOne(users: readonly number[], user: number): number[] {
  const index = users.indexOf(user);
  return users.filter((_, position) => position !== index);
}
