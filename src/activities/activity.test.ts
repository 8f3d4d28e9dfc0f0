import {
  ApplicationFailure,
  CancelledFailure,
  defaultFailureConverter,
  defaultPayloadConverter,
} from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterEach, expect, it, vi } from 'vitest';
import type { Store } from '../artifacts/store.ts';
import { AnnealError, type ErrorKind, permanentKinds } from '../errors.ts';
import { type ActivityLabel, type ActivityScope, runActivity } from './activity.ts';

const appended: { path: string; line: string }[] = [];
const store = {
  append: async (path: string, line: string) => void appended.push({ path, line }),
  readText: async () => null,
} as unknown as Store;

const logger = new DefaultLogger('ERROR');

afterEach(() => {
  appended.length = 0;
  vi.useRealTimers();
});

function run<T>(
  env: MockActivityEnvironment,
  label: ActivityLabel,
  body: (scope: ActivityScope) => Promise<T>,
) {
  return env.run(() => runActivity(store, label, body));
}

it('sends a heartbeat at once and every second, with the latest progress', async () => {
  vi.useFakeTimers();
  const env = new MockActivityEnvironment({}, { logger });
  const beats: unknown[] = [];
  env.on('heartbeat', (details) => beats.push(details));
  const result = run(env, { stage: 'train' }, async ({ onProgress }) => {
    onProgress({ done: 1, total: 9, unit: 'steps' });
    onProgress({ done: 2, total: 9, unit: 'steps', note: 'loss 0.5' });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    return 'done';
  });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await result).toBe('done');
  expect(beats).toEqual([
    { stage: 'train', done: 0, total: 0, unit: '' },
    { stage: 'train', done: 2, total: 9, unit: 'steps', note: 'loss 0.5' },
  ]);
});

it('writes a line of timings after success, and none after a failure', async () => {
  const env = new MockActivityEnvironment({ activityType: 'generate', attempt: 3 }, { logger });
  const label = { stage: 'generate', epoch: 8, split: 'train', shard: 2 } as const;
  await expect(run(env, label, () => Promise.reject(new Error('lost')))).rejects.toThrow('lost');
  expect(appended).toEqual([]);
  await run(env, label, async () => {});
  expect(appended[0]!.path).toBe('timings.jsonl');
  expect(JSON.parse(appended[0]!.line)).toEqual({
    activity: 'generate',
    epoch: 8,
    split: 'train',
    shard: 2,
    attempt: 3,
    started: expect.stringMatching(/^\d{4}-/),
    ms: expect.any(Number),
  });
});

const kinds: [ErrorKind, boolean][] = [
  ...permanentKinds.map((kind): [ErrorKind, boolean] => [kind, true]),
  ['DamagedArtifact', true],
  ['ProcessLost', false],
  ['NoServer', false],
];
it.each(kinds)('gives the failure of a %s its kind; final: %s', async (kind, nonRetryable) => {
  const failure = await run(new MockActivityEnvironment({}, { logger }), {}, async () => {
    throw new AnnealError(kind, 'what came and what to do');
  }).catch((error) => error);
  expect(failure).toBeInstanceOf(ApplicationFailure);
  expect(failure).toMatchObject({ type: kind, nonRetryable, message: 'what came and what to do' });
});

const limits: [ErrorKind, number][] = [
  ['ProcessLost', 5],
  ['ProcessStalled', 3],
  ['OutOfMemory', 3],
];
it.each(limits)(
  'ends an activity that fails with %s %i times, and no other',
  async (kind, limit) => {
    const attempt = (activityId: string) =>
      run(new MockActivityEnvironment({ activityId }, { logger }), {}, () =>
        Promise.reject(new AnnealError(kind, 'shard 3 is lost.')),
      ).catch((error) => error);
    for (let time = 1; time < limit; time++)
      expect(await attempt(`${kind} a`)).toMatchObject({ nonRetryable: false });
    expect(await attempt(`${kind} b`)).toMatchObject({ nonRetryable: false });
    expect(await attempt(`${kind} a`)).toMatchObject({
      type: kind,
      nonRetryable: true,
      message: `shard 3 is lost. It failed like this ${limit} times.`,
    });
  },
);

it('shortens a long error to what the server keeps: its beginning and end', async () => {
  const cause = new Error('deeper reasons, 理由'.repeat(500));
  const message = `shard 3: ${'a long\nstory '.repeat(1000)} lower the threads`;
  const failure = await run(
    new MockActivityEnvironment({ activityId: 'long' }, { logger }),
    {},
    () => Promise.reject(new AnnealError('ProcessLost', message, { cause })),
  ).catch((error) => error);
  expect(failure).toMatchObject({
    message: expect.stringMatching(/^shard 3: .* lower the threads$/s),
  });
  const sent = defaultFailureConverter.errorToFailure(failure, defaultPayloadConverter);
  expect(Buffer.byteLength(JSON.stringify(sent))).toBeLessThan(4096);
});

it('retries a full disk without limit', async () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
    code: 'ENOSPC',
    path: '/runs/a',
  });
  const env = new MockActivityEnvironment({ activityId: 'full' }, { logger });
  for (let time = 0; time < 200; time++) {
    const failure = await run(env, {}, () => Promise.reject(full)).catch((error) => error);
    expect(failure).toMatchObject({
      type: 'StoreUnavailable',
      nonRetryable: false,
      message: expect.stringContaining('/runs/a: the disk is full'),
    });
  }
});

it('loses a line of timings rather than finished work', async () => {
  const full = { ...store, append: () => Promise.reject(new AnnealError('StoreUnavailable', '')) };
  const env = new MockActivityEnvironment({}, { logger });
  expect(await env.run(() => runActivity(full as Store, {}, async () => 'done'))).toBe('done');
});

it('keeps sending heartbeats while a write takes minutes', async () => {
  vi.useFakeTimers();
  const slow: Store = {
    ...store,
    write: (path) =>
      new Promise((resolve) => setTimeout(resolve, 300_000, { path, sha256: '', bytes: 4 })),
  };
  const env = new MockActivityEnvironment({}, { logger });
  let beats = 0;
  env.on('heartbeat', () => beats++);
  const result = env.run(() =>
    runActivity(slow, { stage: 'score' }, () => slow.write('a', 'text')),
  );
  await vi.advanceTimersByTimeAsync(300_000);
  expect(await result).toMatchObject({ path: 'a' });
  expect(beats).toBeGreaterThanOrEqual(300);
});

it('measures time with the monotonic clock', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime('2026-01-01T12:00:00Z');
  await run(new MockActivityEnvironment({}, { logger }), {}, async () => {
    vi.setSystemTime('2026-01-01T07:00:00Z');
  });
  const { started, ms } = JSON.parse(appended[0]!.line);
  expect(started).toBe('2026-01-01T12:00:00.000Z');
  expect(ms).toBeGreaterThanOrEqual(0);
  expect(ms).toBeLessThan(3_600_000);
});

it('passes other errors on, to be retried', async () => {
  const error = new RangeError('a bug');
  await expect(
    run(new MockActivityEnvironment({}, { logger }), {}, () => Promise.reject(error)),
  ).rejects.toBe(error);
});

it('passes cancellation on, and reports it instead of its consequences', async () => {
  const env = new MockActivityEnvironment({}, { logger });
  const result = run(env, {}, ({ signal }) => {
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new AnnealError('ProcessLost', 'killed')));
    });
  });
  env.cancel('CANCELLED');
  await expect(result).rejects.toBeInstanceOf(CancelledFailure);
});

it('hands the activity back if its worker shuts down, for a retry at once', async () => {
  const env = new MockActivityEnvironment({}, { logger });
  const result = run(env, {}, ({ signal }) => {
    return new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason)),
    );
  });
  env.cancel('WORKER_SHUTDOWN');
  const failure = await result.catch((error) => error);
  expect(failure).toBeInstanceOf(ApplicationFailure);
  expect(failure).toMatchObject({ nonRetryable: false, type: 'WorkerShutdown' });
});

it.each([
  ['thrown as it is', (cause: unknown) => cause],
  ['as a cause', (cause: unknown) => new AnnealError('InvalidData', 'a.json: no', { cause })],
  ['in a message', (cause: unknown) => new AnnealError('InvalidModel', (cause as Error).message)],
])('stores no excerpt of a text that is not JSON: %s', async (_, wrap) => {
  const parse = async () => {
    try {
      return JSON.parse('{"a": hunter2}\n');
    } catch (cause) {
      throw wrap(cause);
    }
  };
  const error = await run(new MockActivityEnvironment({}, { logger }), {}, parse).catch((e) => e);
  const failure = defaultFailureConverter.errorToFailure(error, defaultPayloadConverter);
  expect(JSON.stringify(failure)).not.toContain('hunter2');
  expect(failure.message).toMatch(/an unexpected character|a\.json: no/);
});
