import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isRunning, readRecord, withLock, writeRecord } from './server-record.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'anneal-record-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

/** Above every process id that Linux assigns. */
const deadPid = 2 ** 30;
const record = { pid: 1, port: 7233, uiPort: 8233 };

it('omits users that have died', async () => {
  await writeRecord(dataDir, { ...record, users: [deadPid, process.pid] });
  expect(readRecord(dataDir)).toEqual({ ...record, users: [process.pid] });
});

it('ignores a truncated record', async () => {
  expect(readRecord(dataDir)).toBeNull();
  await writeFile(join(dataDir, 'server.json'), '{"pid": 12');
  expect(readRecord(dataDir)).toBeNull();
});

it.runIf(process.platform === 'linux')(
  'does not take another process with the same number for the server',
  () => {
    expect(isRunning(dataDir, { ...record, pid: process.pid, users: [] })).toBe(false);
  },
);

it('lets one action run at a time', async () => {
  let running = 0;
  const seen: number[] = [];
  const action = async () => {
    seen.push(++running);
    await delay(20);
    running--;
  };
  await Promise.all([1, 2, 3].map(() => withLock(dataDir, action)));
  expect(seen).toEqual([1, 1, 1]);
});

it('releases the lock when the action fails', async () => {
  await expect(withLock(dataDir, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(existsSync(join(dataDir, 'server.lock'))).toBe(false);
});

it('removes the lock of a dead process', async () => {
  await writeFile(join(dataDir, 'server.lock'), String(deadPid));
  expect(await withLock(dataDir, async () => 'done')).toBe('done');
});
