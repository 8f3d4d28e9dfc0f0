// The contract of a store: every kind of store runs this suite.

import { chmod, mkdir, mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalStore } from './local-store.ts';
import type { Store } from './store.ts';

const stores: Record<string, (root: string) => Store> = { local: createLocalStore };

describe.each(Object.entries(stores))('%s store', (_, create) => {
  let root: string;
  let store: Store;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'anneal-store-'));
    store = create(root);
  });
  afterEach(() => rm(root, { recursive: true }));

  it('gives back what was written, and says what that is', async () => {
    const ref = await store.write('samples/a.jsonl', 'eins\nzwei\n', 2);
    expect(ref).toEqual({
      path: 'samples/a.jsonl',
      sha256: 'cea7589481795a99cc8b7989cc24706fd26d46cde9fc381d07db562de08b2e18',
      bytes: 10,
      count: 2,
    });
    expect((await store.read(ref)).toString()).toBe('eins\nzwei\n');
  });

  it('writes the same thing twice with the same reference and nothing left over', async () => {
    const first = await store.write('a/b.txt', 'same');
    const second = await store.write('a/b.txt', 'same');
    expect(second).toEqual(first);
    expect(await readdir(join(root, 'a'))).toEqual(['b.txt']);
  });

  it.each([
    ['a changed byte', (path: string) => writeFile(path, 'samE')],
    ['a cut file', (path: string) => truncate(path, 3)],
    ['a lost file', (path: string) => rm(path)],
  ])('refuses %s by name', async (_, damage) => {
    const ref = await store.write('a/b.txt', 'same');
    await damage(join(root, ref.path));
    await expect(store.read(ref)).rejects.toMatchObject({
      kind: 'DamagedArtifact',
      message: expect.stringContaining('a/b.txt'),
    });
  });

  it.each(['../outside.txt', '/etc/hostname', 'a/../../b', '.'])(
    'refuses the path %s, which leads out of the run',
    async (path) => {
      await expect((async () => store.write(path, 'x'))()).rejects.toMatchObject({
        kind: 'InvalidData',
      });
    },
  );

  it('tells a document that is not there from an empty one', async () => {
    expect(await store.readDocument('metrics.jsonl')).toBeNull();
    await store.write('metrics.jsonl', '');
    expect(await store.readDocument('metrics.jsonl')).toBe('');
  });

  it('appends lines', async () => {
    await store.append('log/timings.jsonl', '1');
    await store.append('log/timings.jsonl', '2');
    expect(await store.readDocument('log/timings.jsonl')).toBe('1\n2\n');
  });

  it('commits a folder in place of another, and clears away what dead attempts left', async () => {
    const dead = await store.scratch('checkpoints/epoch-01');
    await writeFile(join(dead, 'half'), 'x');
    await mkdir(store.folder('checkpoints/epoch-01'));
    await writeFile(join(store.folder('checkpoints/epoch-01'), 'old'), 'x');
    const scratch = await store.scratch('checkpoints/epoch-01');
    await writeFile(join(scratch, 'new'), 'x');
    await store.commitFolder(scratch, 'checkpoints/epoch-01');
    expect(await readdir(join(root, 'checkpoints'))).toEqual(['epoch-01']);
    expect(await readdir(store.folder('checkpoints/epoch-01'))).toEqual(['new']);
  });

  it('lists what a folder holds, and takes files and folders away', async () => {
    expect(await store.list('samples')).toEqual([]);
    await store.write('samples/epoch-02/b.jsonl', 'x');
    await store.write('samples/epoch-01/a.jsonl', 'x');
    await store.scratch('samples/epoch-03');
    expect(await store.list('samples')).toEqual(['epoch-01', 'epoch-02']);
    await store.remove('samples/epoch-02');
    await store.remove('samples/epoch-01/a.jsonl');
    await store.remove('samples/epoch-01/a.jsonl');
    expect(await store.list('samples')).toEqual(['epoch-01']);
    expect(await store.list('samples/epoch-01')).toEqual([]);
  });
});

it('keeps what lies on the disk for its owner alone, whatever the umask and the files copied', async () => {
  const root = await mkdtemp(join(tmpdir(), 'anneal-store-'));
  const store = createLocalStore(join(root, 'run'));
  const before = process.umask(0);
  try {
    await store.write('samples/epoch-01/a.jsonl', 'x');
    await store.append('timings.jsonl', 'x');
    const scratch = await store.scratch('checkpoints/epoch-01');
    await writeFile(join(scratch, 'weights'), 'x');
    await chmod(join(scratch, 'weights'), 0o664);
    await store.commitFolder(scratch, 'checkpoints/epoch-01');
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    expect(entries).toHaveLength(8);
    for (const entry of entries) {
      const { mode } = await stat(join(entry.parentPath, entry.name));
      expect([entry.name, mode & 0o777]).toEqual([entry.name, entry.isFile() ? 0o600 : 0o700]);
    }
  } finally {
    process.umask(before);
    await rm(root, { recursive: true });
  }
});
