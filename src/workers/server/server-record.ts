// What processes that share an embedded server know of it, in a file beside its data: who it is,
// where it listens, who uses it. Starting and ending it is embedded-server.ts.

import { readFileSync } from 'node:fs';
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AnnealError } from '../../errors.ts';

export interface ServerRecord {
  /** Of the server; null where it was ended in good order. */
  pid: number | null;
  port: number;
  uiPort: number;
  /** Processes that use it; whoever leaves last ends it. */
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

/** The record in `dataDir`, users that are gone left out; null where there is none. */
export function readRecord(dataDir: string): ServerRecord | null {
  try {
    const record: ServerRecord = JSON.parse(readFileSync(recordPath(dataDir), 'utf8'));
    return { ...record, users: record.users.filter(isAlive) };
  } catch (error) {
    // A record that cannot be read costs no more than the ports it named.
    if (error instanceof SyntaxError) return null;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

export async function writeRecord(dataDir: string, record: ServerRecord): Promise<void> {
  const temporary = `${recordPath(dataDir)}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(record)}\n`);
  await rename(temporary, recordPath(dataDir));
}

/** Whether the server of the record runs; a process that merely got its number does not count. */
export function isRunning(dataDir: string, record: ServerRecord | null): boolean {
  if (!record?.pid || !isAlive(record.pid)) return false;
  try {
    return readFileSync(`/proc/${record.pid}/cmdline`, 'utf8').includes(databasePath(dataDir));
  } catch {
    // No /proc on this system: the number has to do.
    return process.platform !== 'linux';
  }
}

/**
 * Run `action` while no other process starts or ends the server in `dataDir`.
 * @throws AnnealError NoServer where another process holds the lock for too long
 */
export async function withLock<T>(dataDir: string, action: () => Promise<T>): Promise<T> {
  const lock = join(dataDir, 'server.lock');
  const deadline = performance.now() + lockTimeoutMs;
  while (!(await takeLock(lock))) {
    if (performance.now() > deadline) {
      const seconds = lockTimeoutMs / 1000;
      const message = `another process has been starting the server for ${seconds} s; if none does, remove ${lock}`;
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

/** Create the lock file, or clear one that a dead process left. */
async function takeLock(lock: string): Promise<boolean> {
  try {
    const file = await open(lock, 'wx');
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
