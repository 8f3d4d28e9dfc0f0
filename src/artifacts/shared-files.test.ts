import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSharedFiles } from './open-store.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-shared-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('keeps files from other users', async () => {
  const files = openSharedFiles(join(folder, 'judges'));
  await files.write('verdicts/aa/one.json', '{}');
  expect(await files.create('verdicts/aa/one.json', '[]')).toBe(false);
  expect(await files.list('verdicts/aa')).toEqual(['one.json']);
  expect(await files.read('verdicts/aa/one.json')).toBe('{}');
  const modeOf = async (path: string) => (await stat(join(folder, path))).mode & 0o777;
  expect(await modeOf('judges/verdicts/aa/one.json')).toBe(0o600);
  expect(await modeOf('judges/verdicts')).toBe(0o700);
});

it.each(['../beside', 'budgets/run/../../../beside', '/tmp/beside', '..', ''])(
  'no file leads out of the folder: %j',
  async (path) => {
    for (const address of [join(folder, 'judges'), 's3://bucket/prefix', 's3://bucket']) {
      const files = openSharedFiles(address);
      const refused = { message: expect.stringContaining('expected a path inside') };
      await expect((async () => files.read(path))()).rejects.toMatchObject(refused);
      await expect((async () => files.write(path, 'x'))()).rejects.toMatchObject(refused);
      await expect((async () => files.create(path, 'x'))()).rejects.toMatchObject(refused);
      await expect((async () => files.remove(path))()).rejects.toMatchObject(refused);
    }
    expect(await readdir(folder)).toEqual([]);
  },
);
