// A judge's limits when the clock is set to another time.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openSharedFiles } from '../../artifacts/open-store.ts';
import { judgeSchema } from '../../config/schema/rewards/judge.ts';
import { Account } from './account.ts';
import { rubric } from './judge-server.fixture.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-account-'));
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime('2026-01-01T12:00:00Z');
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true });
});

it.each([
  ['back', '2026-01-01T07:00:00Z'],
  ['forward', '2026-01-01T17:00:00Z'],
])('does not wait for hours if the clock is set %s', async (_, time) => {
  const config = judgeSchema.parse({
    kind: 'judge',
    base_url: 'http://127.0.0.1:1',
    model: 'a-model',
    rubric,
    requests_per_minute: 6000,
  });
  const services = { shared: openSharedFiles(folder), run: 'a', resumes: 0 };
  const account = new Account(config, 'service', services);
  await account.admit(1);
  vi.setSystemTime(time);
  // If it waited for hours, the signal would end it.
  const signal = AbortSignal.timeout(10_000);
  expect(await account.admit(1, signal)).toBe(1);
  expect(await account.admit(1, signal)).toBe(1);
});
