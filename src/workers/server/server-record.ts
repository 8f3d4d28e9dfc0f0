// The record that processes share about an embedded server, in a file beside its data: process id,
// ports and users. embedded-server.ts starts and ends the server.

import { readFileSync } from 'node:fs';
import { chmod, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AnnealError } from '../../errors.ts';

export interface ServerRecord {
  /** The server's process id; null if it was ended by its last user. */
  pid: number | null;
  port: number;
  uiPort: number;
  /** Ids of the processes that use it; the last to leave ends it. */
  users: number[];
}

const lockTimeoutMs = 90_000;
const lockPollMs = 100;

/** The Temporal database of an embedded server. */
export function databasePath(dataDir: string): string {
  return join(dataDir, 'temporal.db');
}

function recordPath(dataDir: string): string {
  return join(dataDir, 'server.json');
}

/**
 * Make the folder of a server's data. Only its owner gets access, whatever the umask, and also to
 * files that an earlier version left there: they hold run files, failures and addresses.
 */
export async function makeDataDir(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await chmod(dataDir, 0o700);
  for (const entry of await readdir(dataDir, { withFileTypes: true }))
    if (entry.isFile()) await chmod(join(dataDir, entry.name), 0o600).catch(unlessGone);
}

/** Another process may remove its temporary files at any time. */
function unlessGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/** The record in `dataDir` without users that have died; null if there is none. */
export function readRecord(dataDir: string): ServerRecord | null {
  try {
    const record: ServerRecord = JSON.parse(readFileSync(recordPath(dataDir), 'utf8'));
    return { ...record, users: record.users.filter(isAlive) };
  } catch (error) {
    // A damaged record is no loss: only the ports change.
    if (error instanceof SyntaxError) return null;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

export async function writeRecord(dataDir: string, record: ServerRecord): Promise<void> {
  const temporary = `${recordPath(dataDir)}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  await rename(temporary, recordPath(dataDir));
}

/** Whether the recorded server runs. Another process with the same id does not count. */
export function isRunning(dataDir: string, record: ServerRecord | null): boolean {
  if (!record?.pid || !isAlive(record.pid)) return false;
  try {
    return readFileSync(`/proc/${record.pid}/cmdline`, 'utf8').includes(databasePath(dataDir));
  } catch {
    // Without /proc the id has to be enough.
    return process.platform !== 'linux';
  }
}

/**
 * Run `action` while no other process starts or ends the server in `dataDir`.
 * @throws AnnealError NoServer if another process holds the lock for too long
 */
export async function withLock<T>(dataDir: string, action: () => Promise<T>): Promise<T> {
  const lock = join(dataDir, 'server.lock');
  const deadline = performance.now() + lockTimeoutMs;
  while (!(await takeLock(lock))) {
    if (performance.now() > deadline) {
      const seconds = lockTimeoutMs / 1000;
      const message = `expected the lock ${lock} to be free within ${seconds} s, but another process holds it. If no other process is starting the server, remove the file`;
      throw new AnnealError('NoServer', message);
    }
    await delay(lockPollMs);
  }
  try {
    return await action();
  } finally {
    await rm(lock, { force: true });
  }
}

/** Create the lock file, or remove that of a dead process. */
async function takeLock(lock: string): Promise<boolean> {
  try {
    const file = await open(lock, 'wx', 0o600);
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const holder = Number(await readFile(lock, 'utf8').catch(() => ''));
  if (holder && !isAlive(holder)) await rm(lock, { force: true });
  return false;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
