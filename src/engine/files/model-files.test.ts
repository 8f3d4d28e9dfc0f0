// What strangers may have put into a model folder: links that lead out, pipes, sockets, devices,
// folders with the names of files, files that grow.

import { execFileSync } from 'node:child_process';
import {
  appendFile,
  cp,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyModel } from '../../artifacts/checkpoints.ts';
import { describeModelFolder } from '../inference/describe-model-folder.ts';
import { readModelConfig } from './model-config.ts';
import {
  copyModelFile,
  isModelFile,
  listModelFiles,
  readModelText,
  withModelFile,
} from './model-files.ts';
import { openPolicyFolder } from './policy-folder.ts';
import { readHeader, readTensors } from './safetensors.ts';
import { saveModelFolder } from './save-folder.ts';
import { openWeights } from './weights.ts';

const policy = fileURLToPath(new URL('../../../models/policy', import.meta.url));
const names = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];

let root: string;
let folder: string;
let secret: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'anneal-folder-')));
  folder = join(root, 'model');
  secret = join(root, 'secret');
  await mkdir(folder);
  for (const name of names) await cp(join(policy, name), join(folder, name));
  await writeFile(secret, 'a secret');
});
afterEach(() => rm(root, { recursive: true }));
const at = (name: string) => join(folder, name);

/** Names in a folder that are not regular files, and what the message says was found. */
const impostors: Record<
  string,
  [found: string, make: (path: string) => Promise<unknown> | unknown]
> = {
  'a link to a file elsewhere': ['a link that leads out', (path) => symlink(secret, path)],
  'a relative link to a file elsewhere': [
    'a link that leads out',
    (path) => symlink('../secret', path),
  ],
  'a link by way of the folder above': [
    'a link that leads out',
    (path) => symlink('../model/../secret', path),
  ],
  'a link to a folder whose name begins like its own': [
    'a link that leads out',
    async (path) => {
      await mkdir(`${folder}-2`);
      await cp(secret, join(`${folder}-2`, 'secret'));
      await symlink(join(`${folder}-2`, 'secret'), path);
    },
  ],
  'a link to nothing': ['a link to nothing', (path) => symlink('gone', path)],
  'links in a circle': [
    'links that lead to each other',
    async (path) => {
      await symlink('circle', path);
      await symlink(path, at('circle'));
    },
  ],
  'a link to a device': ['a link that leads out', (path) => symlink('/dev/zero', path)],
  'a pipe': ['a pipe', (path) => execFileSync('mkfifo', [path])],
  'a link to a pipe in the folder': [
    'a pipe',
    async (path) => {
      execFileSync('mkfifo', [at('pipe')]);
      await symlink('pipe', path);
    },
  ],
  'a socket': [
    'a socket',
    async (path) => {
      const server = createServer().listen(path).unref();
      await new Promise((listening) => server.on('listening', listening));
    },
  ],
};

describe.skipIf(process.platform === 'win32')('a model folder', () => {
  describe.each(Object.entries(impostors))('with %s', (_, [found, make]) => {
    it.each(names)('as %s is refused by name', async (name) => {
      await rm(at(name));
      await make(at(name));
      const refused = { kind: 'InvalidModel', message: expect.stringContaining(found) };
      const attempt = describeModelFolder(folder);
      await expect(attempt).rejects.toMatchObject(refused);
      await expect(attempt).rejects.toThrow(/^[^\n]*model\/[^\n]*expected a file/);
    });

    it('is not copied', async () => {
      await make(at('vocab.json'));
      const out = join(root, 'out');
      await mkdir(out);
      const refused = { kind: 'InvalidModel', message: expect.stringContaining(found) };
      await expect(copyModel(folder, out)).rejects.toMatchObject(refused);
      const decoder = await readModelConfig(policy);
      const saved = saveModelFolder({ source: folder, out, decoder, tensors: [] });
      await expect(saved).rejects.toMatchObject(refused);
      const copied = await Promise.all(
        (await readdir(out)).map((name) => readFile(join(out, name), 'utf8')),
      );
      expect(copied.filter((text) => text.includes('a secret'))).toEqual([]);
    });
  });

  it.each(names)('with a folder in the place of %s is refused by name', async (name) => {
    await rm(at(name));
    await mkdir(at(name));
    await expect(describeModelFolder(folder)).rejects.toMatchObject({
      kind: 'InvalidModel',
      message: expect.stringContaining(`${at(name)}: expected a file, found a folder`),
    });
  });

  it('may be reached through a link, and hold links and hard links to its own files', async () => {
    await mkdir(at('files'));
    await cp(at('config.json'), at('files/config'));
    await rm(at('config.json'));
    await symlink('files/config', at('config.json'));
    await symlink('files', at('more'));
    await link(secret, at('LICENSE'));
    await symlink(folder, join(root, 'link'));
    const { files } = await describeModelFolder(join(root, 'link'));
    expect(files.map(({ name }) => name)).toEqual(['LICENSE', ...names].sort());
  });
});

describe.skipIf(process.platform === 'win32')("a snapshot in Hugging Face's cache", () => {
  let repository: string;
  let snapshot: string;
  beforeEach(async () => {
    repository = join(root, 'hub/models--Qwen--Qwen2.5-Coder-0.5B');
    snapshot = join(repository, 'snapshots/0123abcd');
    await mkdir(join(repository, 'blobs'), { recursive: true });
    await mkdir(snapshot, { recursive: true });
    for (const [i, name] of names.entries()) {
      const blob = join(repository, 'blobs', `${i}`.repeat(40));
      await cp(join(policy, name), blob);
      await symlink(relative(snapshot, blob), join(snapshot, name));
    }
  });

  it('is read and copied by its links to blobs', async () => {
    const { base, config } = await openPolicyFolder(snapshot);
    expect((await openWeights(base, config)).files.size).toBe(1);
    const out = join(root, 'out');
    await mkdir(out);
    await copyModel(snapshot, out);
    for (const name of names)
      expect(await readFile(join(out, name))).toEqual(await readFile(join(policy, name)));
  });

  it.each([
    ['a file outside of the cache', () => secret],
    [
      "another model's blob",
      async () => {
        const blobs = join(root, 'hub/models--Qwen--Qwen2.5-Coder-0.5B-Instruct/blobs');
        await mkdir(blobs, { recursive: true });
        await cp(secret, join(blobs, 'a'));
        return join(blobs, 'a');
      },
    ],
  ])('may not link to %s', async (_, target) => {
    await symlink(await target(), join(snapshot, 'vocab.json'));
    await expect(readModelText(join(snapshot, 'vocab.json'))).rejects.toThrow('leads out of it');
    await expect(listModelFiles(snapshot)).rejects.toThrow('leads out of it');
  });
});

describe('files that change', () => {
  it('are refused, not read on', async () => {
    const grow = withModelFile(at('config.json'), () => appendFile(at('config.json'), ' '));
    await expect(grow).rejects.toThrow('config.json: expected a file that stays as it is');
    const shrink = withModelFile(at('model.safetensors'), () => truncate(at('model.safetensors')));
    await expect(shrink).rejects.toThrow('expected a file that stays as it is');
  });

  it.skipIf(process.platform !== 'linux')('are refused if they hide their size', async () => {
    await expect(readModelText('/proc/self/status')).rejects.toThrow('changed while it was read');
  });

  it('are null and false where nothing is, also in a folder that is a file', async () => {
    expect(await readModelText(at('gone'))).toBeNull();
    expect(await isModelFile(at('config.json/config.json'))).toBe(false);
    await expect(copyModelFile(at('gone'), at('copy'))).rejects.toMatchObject({
      kind: 'InvalidModel',
    });
  });
});

describe('files of absurd sizes', () => {
  it('text', async () => {
    await truncate(at('tokenizer_config.json'), 1e12);
    await expect(readModelText(at('tokenizer_config.json'))).rejects.toThrow(
      'expected at most 100000000 bytes, found 1000000000000',
    );
  });

  it.each([2n ** 64n - 1n, 2n ** 63n, 100_000_001n])('a header of %s bytes', async (length) => {
    const start = Buffer.alloc(8);
    start.writeBigUInt64LE(length);
    await writeFile(at('model.safetensors'), start);
    await truncate(at('model.safetensors'), 1e12);
    await expect(readHeader(at('model.safetensors'))).rejects.toThrow(
      'expected a header of at most 100000000 bytes',
    );
  });

  it('a tensor larger than any memory', async () => {
    const size = 2 ** 43;
    const header = JSON.stringify({
      x: { dtype: 'U8', shape: [size], data_offsets: [0, size] },
    });
    const start = Buffer.alloc(8);
    start.writeBigUInt64LE(BigInt(header.length));
    await writeFile(at('model.safetensors'), Buffer.concat([start, Buffer.from(header)]));
    await truncate(at('model.safetensors'), 8 + header.length + size);
    const [entry] = (await readHeader(at('model.safetensors'))).values();
    await expect(
      readTensors(at('model.safetensors'), [['x', { ...entry!, dtype: 'F32' }]]),
    ).rejects.toMatchObject({ kind: 'InvalidModel', message: expect.stringContaining('memory') });
  });
});
