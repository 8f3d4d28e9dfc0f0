// The contract of a store: every kind runs this suite.

import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bucket } from '../../test/s3-server.ts';
import { s3Suite } from '../../test/s3-suite.ts';
import { openSharedFiles, openStore } from './open-store.ts';
import type { SharedFiles } from './shared-files.ts';
import type { Store } from './store.ts';

const s3 = await s3Suite();

let scratch: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'anneal-store-'));
  vi.stubEnv('ANNEAL_STORE_CACHE', join(scratch, 'cache'));
});
afterEach(() => rm(scratch, { recursive: true }));

let places = 0;

/** Every kind of store, with the address of an empty place. */
const kinds: Record<string, () => string> = {
  local: () => join(scratch, 'local'),
  ...(!s3.missing && { s3: inBucket }),
};

function inBucket(): string {
  return `s3://${bucket}/tests/place-${++places}`;
}

describe.each(Object.entries(kinds))('%s store', (_, place) => {
  let files: SharedFiles;
  let store: Store;
  beforeEach(() => {
    const address = place();
    files = openSharedFiles(address);
    store = openStore(address);
  });

  async function commit(files: Record<string, string>): Promise<void> {
    const scratch = await store.scratch('checkpoints/epoch-01');
    for (const [name, text] of Object.entries(files)) await writeFile(join(scratch, name), text);
    await store.commitFolder(scratch, 'checkpoints/epoch-01');
  }

  it('reads what was written, and returns its reference', async () => {
    const ref = await store.write('samples/a.jsonl', 'eins\nzwei\n', 2);
    expect(ref).toEqual({
      path: 'samples/a.jsonl',
      sha256: 'cea7589481795a99cc8b7989cc24706fd26d46cde9fc381d07db562de08b2e18',
      bytes: 10,
      count: 2,
    });
    expect((await store.read(ref)).toString()).toBe('eins\nzwei\n');
  });

  it('writes the same content twice with the same reference and no leftovers', async () => {
    const first = await store.write('a/b.txt', 'same');
    const second = await store.write('a/b.txt', 'same');
    expect(second).toEqual(first);
    expect(await files.list('a')).toEqual(['b.txt']);
  });

  it.each([
    ['a changed byte', (path: string) => files.write(path, 'samE')],
    ['a cut file', (path: string) => files.write(path, 'sam')],
    ['a lost file', (path: string) => files.remove(path)],
  ])('rejects %s by name', async (_, damage) => {
    const ref = await store.write('a/b.txt', 'same');
    await damage(ref.path);
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

  it('distinguishes a missing document from an empty one', async () => {
    expect(await store.readText('metrics.jsonl')).toBeNull();
    await store.write('metrics.jsonl', '');
    expect(await store.readText('metrics.jsonl')).toBe('');
  });

  // 255 bytes, in letters of one, two and four bytes.
  it.each(['n'.repeat(255), `${'ü'.repeat(127)}n`, `${'😀'.repeat(63)}abc`])(
    'takes names as long as those of files: %.5s',
    async (name) => {
      const ref = await store.write(name, 'text');
      expect((await store.read(ref)).toString()).toBe('text');
      const other = `${name.slice(0, -1)}x`;
      const [mine, others] = [await store.scratch(`a/${name}`), await store.scratch(`a/${other}`)];
      for (const [folder, text] of [
        [mine, 'mine'],
        [others, 'other'],
      ] as const)
        await writeFile(join(folder, 'file'), text);
      await store.commitFolder(mine, `a/${name}`);
      await store.commitFolder(others, `a/${other}`);
      for (const [folder, text] of [
        [name, 'mine'],
        [other, 'other'],
      ] as const)
        expect(await readFile(join(await store.fetchFolder(`a/${folder}`), 'file'), 'utf8')).toBe(
          text,
        );
      expect(await store.list('a')).toEqual([name, other].toSorted());
    },
  );

  it('has no files of names that are too long', async () => {
    expect(await store.readText('n'.repeat(256))).toBeNull();
    expect(await store.list('n'.repeat(256))).toEqual([]);
  });

  it('appends lines', async () => {
    await store.append('log/timings.jsonl', '1');
    await store.append('log/timings.jsonl', '2');
    expect(await store.readText('log/timings.jsonl')).toBe('1\n2\n');
  });

  it('replaces a folder with a committed one, and removes leftovers of crashed attempts', async () => {
    const dead = await store.scratch('checkpoints/epoch-01');
    await writeFile(join(dead, 'half'), 'x');
    await expect(store.fetchFolder('checkpoints/epoch-01')).rejects.toMatchObject({
      kind: 'DamagedArtifact',
      message: expect.stringContaining('checkpoints/epoch-01'),
    });
    await commit({ old: 'old' });
    await commit({ new: 'new' });
    expect(await store.list('checkpoints')).toEqual(['epoch-01']);
    expect(await store.list('checkpoints/epoch-01')).toEqual(['new']);
    const folder = await store.fetchFolder('checkpoints/epoch-01');
    expect(await readFile(join(folder, 'new'), 'utf8')).toBe('new');
    expect(existsSync(dead)).toBe(false);
  });

  it('lists a folder, and deletes files and folders', async () => {
    expect(await store.list('samples')).toEqual([]);
    await store.write('samples/epoch-02/b.jsonl', 'x');
    await store.write('samples/epoch-01/a.jsonl', 'x');
    await store.write('samples/epoch-01/c.jsonl', 'x');
    await store.append('samples/epoch-01/log.jsonl', 'x');
    await store.scratch('samples/epoch-03');
    expect(await store.list('samples')).toEqual(['epoch-01', 'epoch-02']);
    await store.remove('samples/epoch-02');
    await store.remove('samples/epoch-01/a.jsonl');
    await store.remove('samples/epoch-01/a.jsonl');
    expect(await store.list('samples')).toEqual(['epoch-01']);
    expect(await store.list('samples/epoch-01')).toEqual(['c.jsonl', 'log.jsonl']);
    await store.remove('samples/epoch-01/log.jsonl');
    expect(await store.readText('samples/epoch-01/log.jsonl')).toBeNull();
    expect(await store.list('samples/epoch-01')).toEqual(['c.jsonl']);
  });

  it('deletes a committed folder for good', async () => {
    await commit({ a: 'x' });
    await store.remove('checkpoints/epoch-01');
    expect(await store.list('checkpoints')).toEqual([]);
    await expect(store.fetchFolder('checkpoints/epoch-01')).rejects.toMatchObject({
      kind: 'DamagedArtifact',
    });
  });

  it('stores a file larger than one part of an upload', async () => {
    const bytes = Buffer.alloc(40_000_000, 'large');
    const scratch = await store.scratch('checkpoints/epoch-01');
    await writeFile(join(scratch, 'weights'), bytes);
    await store.commitFolder(scratch, 'checkpoints/epoch-01');
    const folder = await store.fetchFolder('checkpoints/epoch-01');
    expect(bytes.equals(await readFile(join(folder, 'weights')))).toBe(true);
  });
});

describe.each(Object.entries(kinds))('files shared on the %s store', (_, place) => {
  let files: SharedFiles;
  beforeEach(() => {
    files = openSharedFiles(place());
  });

  it('are read, replaced, listed and deleted', async () => {
    expect(await files.read('a/one')).toBeNull();
    expect(await files.list('a')).toEqual([]);
    await files.write('a/one', '1');
    await files.write('a/one', '2');
    await files.write('a/two', '');
    expect(await files.read('a/one')).toBe('2');
    expect((await files.list('a')).sort()).toEqual(['one', 'two']);
    await files.remove('a/one');
    await files.remove('a/one');
    expect(await files.list('a')).toEqual(['two']);
  });

  it('are created by exactly one of many writers', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `worker ${index}`);
    const created = await Promise.all(names.map((name) => files.create('a/one', name)));
    expect(created.filter(Boolean)).toHaveLength(1);
    expect(await files.read('a/one')).toBe(names[created.indexOf(true)]);
    expect(await files.create('a/one', 'late')).toBe(false);
  });
});

describe.skipIf(s3.missing)('s3 store', () => {
  const path = 'checkpoints/epoch-01';
  let address: string;
  let files: SharedFiles;
  beforeEach(async () => {
    address = inBucket();
    files = openSharedFiles(address);
    const store = openStore(address);
    const filled = await store.scratch(path);
    for (const name of ['config', 'weights']) await writeFile(join(filled, name), name);
    await store.commitFolder(filled, path);
  });

  /** The store as another machine sees it, with its own cache. */
  const elsewhere = (name: string) => {
    vi.stubEnv('ANNEAL_STORE_CACHE', join(scratch, name));
    return openStore(address);
  };

  it('downloads a folder once, and again if the copy was damaged', async () => {
    const store = elsewhere('other');
    const folder = await store.fetchFolder(path);
    expect(folder.startsWith(join(scratch, 'other'))).toBe(true);
    const { ino } = await stat(join(folder, 'weights'));
    expect(await store.fetchFolder(path)).toBe(folder);
    expect((await stat(join(folder, 'weights'))).ino).toBe(ino);
    await writeFile(join(folder, 'weights'), 'Weights');
    expect(await store.fetchFolder(path)).toBe(folder);
    expect(await readFile(join(folder, 'weights'), 'utf8')).toBe('weights');
  });

  it('downloads a folder again after it was replaced', async () => {
    const store = elsewhere('other');
    await store.fetchFolder(path);
    const maker = elsewhere('cache');
    const filled = await maker.scratch(path);
    await writeFile(join(filled, 'weights'), 'newer');
    await maker.commitFolder(filled, path);
    const folder = await elsewhere('other').fetchFolder(path);
    expect(await readFile(join(folder, 'weights'), 'utf8')).toBe('newer');
    expect(existsSync(join(folder, 'config'))).toBe(false);
  });

  it.each([
    ['a changed file', 'weights', () => files.write(`${path}/weights`, 'Weights')],
    ['a lost file', 'weights', () => files.remove(`${path}/weights`)],
    ['a folder without its listing', path, () => files.remove(`${path}/.folder.json`)],
  ])('rejects %s by name, and leaves nothing on the disk', async (_, name, damage) => {
    await damage();
    await expect(elsewhere('other').fetchFolder(path)).rejects.toMatchObject({
      kind: 'DamagedArtifact',
      message: expect.stringContaining(name),
    });
    const left = await readdir(join(scratch, 'other'), { recursive: true }).catch(() => []);
    expect(left.filter((entry) => entry.endsWith('weights'))).toEqual([]);
  });

  it.each(['no copy', 'a damaged copy'])(
    'gives concurrent callers the same folder, from %s',
    async (there) => {
      const store = elsewhere('other');
      const weights = join(scratch, 'other', address.slice('s3://'.length), path, 'weights');
      if (there === 'a damaged copy') {
        await store.fetchFolder(path);
        await writeFile(weights, 'Weights');
      }
      await Promise.all([1, 2, 3, 4, 5].map(() => store.fetchFolder(path)));
      expect(await readFile(weights, 'utf8')).toBe('weights');
      expect(await readdir(join(scratch, 'other', '.scratch'))).toEqual([]);
    },
  );

  it('reads, lists and deletes more than one page of keys', async () => {
    const store = openStore(address);
    const numbers = Array.from({ length: 1100 }, (_, index) => index);
    await Promise.all(numbers.map((n) => store.append('many.jsonl', `${n}`)));
    const text = await store.readText('many.jsonl');
    expect(new Set(text!.trim().split('\n')).size).toBe(1100);
    expect(await store.list('many.jsonl.lines')).toHaveLength(1100);
    await store.remove('many.jsonl');
    expect(await store.readText('many.jsonl')).toBeNull();
  }, 120_000);

  it('names a missing bucket, and the settings to check', async () => {
    const store = openStore('s3://no-such-bucket/run');
    await expect(store.write('a', 'x')).rejects.toMatchObject({
      kind: 'StoreUnavailable',
      message: expect.stringMatching(/s3:\/\/no-such-bucket\/run\/a.*NoSuchBucket.*AWS_/),
    });
    // A missing bucket is not a missing document.
    await expect(store.readText('a')).rejects.toMatchObject({ kind: 'StoreUnavailable' });
  });
});

it('gives only the owner access to files, whatever the umask and the copied permissions', async () => {
  const root = await mkdtemp(join(tmpdir(), 'anneal-store-'));
  const store = openStore(join(root, 'run'));
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

it('refuses a name that the disk does not take, at once', async () => {
  await expect(openStore(scratch).write('n'.repeat(256), '')).rejects.toMatchObject({
    kind: 'InvalidConfig',
    message: expect.stringContaining('expected a name that this file system takes'),
  });
});

it('refuses a key that S3 does not take, at once', async () => {
  const prefix = 'p/'.repeat(400);
  const store = openStore(`s3://${bucket}/${prefix}runs`);
  await expect(store.write(`${'ü'.repeat(110)}.json`, '')).rejects.toMatchObject({
    kind: 'InvalidConfig',
    message: expect.stringContaining(
      'expected a key of at most 1024 bytes, as S3 takes, found 1030',
    ),
  });
});
