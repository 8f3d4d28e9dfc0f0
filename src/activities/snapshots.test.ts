// What the next attempt finds after a training job was interrupted.

import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLocalStore } from '../artifacts/local/store.ts';
import type { Store } from '../artifacts/store.ts';
import type { ActivityScope } from './activity.ts';
import { TrainingSnapshots, withSnapshots } from './snapshots.ts';

const training = { input: { seed: 1 }, epoch: 8, folder: 'snapshots/epoch-08', seconds: 3 };
let warnings: string[];
const logger = new DefaultLogger('WARN', ({ message }) => warnings.push(message));

let root: string;
let store: Store;
beforeEach(async () => {
  warnings = [];
  root = await mkdtemp(join(tmpdir(), 'anneal-snapshots-'));
  store = createLocalStore(root);
});
afterEach(() => rm(root, { recursive: true }));

const run = <T>(body: () => Promise<T>): Promise<T> =>
  new MockActivityEnvironment({}, { logger }).run(body);

/** An attempt that takes snapshots after the given steps, and is closed if it finished. */
const attempt = (steps: number[], { close = false, of = training } = {}) =>
  run(async () => {
    const snapshots = new TrainingSnapshots(store, of);
    const { snapshots: settings, last } = await snapshots.open();
    expect(settings.seconds).toBe(3);
    const found = last && (await readFile(join(last.folder, 'state'), 'utf8'));
    for (const done of steps) {
      const snapshot = join(settings.folder, `step-${done}`);
      await mkdir(snapshot);
      await writeFile(join(snapshot, 'state'), `after step ${done}`);
      snapshots.keep({ done, total: 9, unit: 'steps', snapshot });
      await snapshots.settled();
    }
    if (close) await snapshots.close();
    return found;
  });

it('resumes from the last snapshot and keeps no other', async () => {
  expect(await attempt([2, 4])).toBeUndefined();
  expect(await attempt([6])).toBe('after step 4');
  expect(await attempt([])).toBe('after step 6');
  expect(await store.list('snapshots/epoch-08')).toEqual(['last.json', 'step-6']);
  expect(warnings).toEqual([]);
});

it('starts from the beginning if anything in the input differs, and warns', async () => {
  await attempt([2]);
  expect(await attempt([], { of: { ...training, input: { seed: 2 } } })).toBeUndefined();
  expect(warnings).toEqual([
    expect.stringContaining('beginning: the snapshot belongs to another training'),
  ]);
});

it.each(['step-2/state', 'last.json'])(
  'starts from the beginning if %s is damaged, and warns',
  async (file) => {
    await attempt([2]);
    await writeFile(join(root, 'snapshots/epoch-08', file), 'after step 3');
    expect(await attempt([4])).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining('beginning: the snapshot cannot be used')]);
    expect(await attempt([])).toBe('after step 4');
  },
);

it('leaves nothing behind when training is done', async () => {
  await attempt([2], { close: true });
  expect(await store.list('snapshots')).toEqual([]);
});

it('keeps the last one until the result of the training is committed', async () => {
  const scope: ActivityScope = {
    signal: new AbortController().signal,
    ...{ onProgress() {}, record() {}, reportDamage: async () => {} },
  };
  const lastFile = join(root, 'snapshots/epoch-08/last.json');
  const uncommitted = withSnapshots(
    store,
    training,
    scope,
    async ({ snapshots }, { onProgress }) => {
      const snapshot = join(snapshots!.folder, 'step-2');
      await mkdir(snapshot);
      onProgress!({ done: 2, total: 2, unit: 'steps', snapshot });
      await vi.waitFor(() => access(lastFile));
      throw new Error('the disk is full');
    },
  );
  await expect(uncommitted).rejects.toThrow('the disk is full');
  const resumed = await run(() =>
    withSnapshots(store, training, scope, async ({ resume }) => resume),
  );
  expect(resumed).toMatch(/snapshots\/epoch-08\/step-2$/);
  expect(await store.list('snapshots')).toEqual([]);
});
