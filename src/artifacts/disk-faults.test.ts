// A local store on a real disk that is full or read-only.

import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mountSmallDisk, type SmallDisk, smallDiskMissing } from '../../test/small-disk.ts';
import { storeFailure } from '../errors.ts';
import { createLocalStore } from './local/store.ts';
import type { Store } from './store.ts';

const missing = smallDiskMissing();
if (missing) console.warn(`left out: ${missing}`);

const line = 'x'.repeat(9_000);

describe.skipIf(missing)('a disk', () => {
  let disk: SmallDisk;
  let store: Store;
  beforeEach(() => {
    disk = mountSmallDisk(1_000_000);
    store = createLocalStore(join(disk.folder, 'run'));
  });
  afterEach(() => disk.close());

  const refusal = (code: string, path: string, advice: string) => ({
    kind: 'StoreUnavailable',
    message: expect.stringMatching(new RegExp(`${path}.*${advice}.*${code}`)),
  });

  it('that is full keeps its files, gets no partial file, and works again when there is space', async () => {
    const before = await store.write('metrics.jsonl', 'as it was');
    await expect(store.write('metrics.jsonl', 'x'.repeat(2_000_000))).rejects.toMatchObject(
      refusal('ENOSPC', 'metrics.jsonl', 'free some space'),
    );
    expect(await readdir(join(disk.folder, 'run'))).toEqual(['metrics.jsonl']);
    expect((await store.read(before)).toString()).toBe('as it was');
    disk.resize(4_000_000);
    await store.write('metrics.jsonl', 'x'.repeat(2_000_000));
  });

  it('that is full gets no partial line in a log', async () => {
    let lines = 0;
    const fill = async () => {
      for (;;) {
        await store.append('log.jsonl', line);
        lines++;
      }
    };
    await expect(fill()).rejects.toMatchObject(refusal('ENOSPC', 'log.jsonl', 'free some space'));
    disk.resize(2_000_000);
    await store.append('log.jsonl', 'last');
    const written = (await store.readText('log.jsonl'))!.split('\n');
    expect(written).toEqual([...Array(lines).fill(line), 'last', '']);
  });

  it('that is full leaves a folder as it was', async () => {
    const commit = async (text: string) => {
      const scratch = await store.scratch('checkpoints/one');
      await writeFile(join(scratch, 'file'), text);
      await store.commitFolder(scratch, 'checkpoints/one');
    };
    await commit('as it was');
    await expect(commit('x'.repeat(2_000_000))).rejects.toThrow('ENOSPC');
    expect(await store.readText('checkpoints/one/file')).toBe('as it was');
    expect(await store.list('checkpoints')).toEqual(['one']);
  });

  it('that is read-only is named, and works again when it is writable', async () => {
    const ref = await store.write('a.txt', 'as it was');
    await store.append('log.jsonl', 'one');
    disk.setReadOnly(true);
    const refused = refusal('EROFS', 'run', 'mount it for writing');
    await expect(store.write('a.txt', 'new')).rejects.toMatchObject(refused);
    await expect(store.append('log.jsonl', 'two')).rejects.toMatchObject(refused);
    await expect(store.scratch('checkpoints/one')).rejects.toMatchObject(refused);
    await expect(store.remove('a.txt')).rejects.toMatchObject(refused);
    expect((await store.read(ref)).toString()).toBe('as it was');
    disk.setReadOnly(false);
    await store.write('a.txt', 'new');
  });
});

it('does not change errors that are not about a disk', () => {
  const error = Object.assign(new Error('no such file'), { code: 'ENOENT', path: '/a' });
  expect(storeFailure(error)).toBe(error);
  expect(storeFailure('a string')).toBe('a string');
  expect(storeFailure(undefined)).toBe(undefined);
});
