import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { AnnealError } from '../errors.ts';
import type { TestMethods } from './child.fixture.ts';
import { ChildService, entryUrl } from './child-service.ts';

const services: ChildService<TestMethods>[] = [];
function start(env?: NodeJS.ProcessEnv, execArgv?: string[]): ChildService<TestMethods> {
  const entry = entryUrl(import.meta.url, './child.fixture');
  const service = new ChildService<TestMethods>({
    entry,
    name: 'test',
    ...(env && { env }),
    ...(execArgv && { execArgv }),
  });
  services.push(service);
  return service;
}
afterEach(() => Promise.all(services.splice(0).map((service) => service.close())));

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const gone = async (pid: number) => {
  for (let tries = 0; isAlive(pid) && tries < 100; tries++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  return !isAlive(pid);
};

it('resolves an entry with the extension of the calling module', () => {
  expect(entryUrl('file:///a/dist/client.js', './x').href).toBe('file:///a/dist/x.js');
  expect(entryUrl('file:///a/src/client.ts', '../y/x').href).toBe('file:///a/y/x.ts');
});

it('carries typed arrays, NaN and -0 both ways', async () => {
  const value = { weights: new Float32Array([1, Number.NaN]), zero: -0, map: new Map([[1, 'a']]) };
  expect(await start().call('echo', value)).toStrictEqual(value);
});

it('keeps overlapping calls apart', async () => {
  const service = start();
  const calls = Array.from({ length: 50 }, (_, index) => service.call('echo', index));
  expect(await Promise.all(calls)).toEqual(Array.from({ length: 50 }, (_, index) => index));
});

it('reports progress in order, before the result', async () => {
  const seen: number[] = [];
  const result = await start().call('count', 3, { onProgress: (done) => seen.push(done) });
  expect([...seen, result]).toEqual([1, 2, 3, 3]);
});

it('rethrows an AnnealError with kind, message and cause', async () => {
  const error = await start()
    .call('fail', 'anneal')
    .catch((thrown) => thrown);
  expect(error).toBeInstanceOf(AnnealError);
  expect(error).toMatchObject({ kind: 'InvalidModel', message: 'expected a model, got a test' });
  expect(error.cause.message).toBe('the deeper reason');
});

it('rethrows any other error under its own name, and keeps the child', async () => {
  const service = start();
  const pid = await service.call('pid', null);
  const error = await service.call('fail', 'plain').catch((thrown) => thrown);
  expect(error).not.toBeInstanceOf(AnnealError);
  expect(error).toMatchObject({ name: 'TypeError', message: 'a plain mistake' });
  expect(await service.call('pid', null)).toBe(pid);
});

it('reports exit code and last output of a child that exits, then starts another', async () => {
  const service = start();
  const first = await service.call('pid', null);
  await expect(service.call('exit', 3)).rejects.toMatchObject({
    kind: 'ProcessLost',
    message: expect.stringMatching(/exited with code 3[\s\S]*last words/),
  });
  expect(await service.call('pid', null)).not.toBe(first);
});

it('reports of a child what it wrote itself, and near its end', async () => {
  const service = start();
  await expect(service.call('exit', 3)).rejects.toThrow('last words');
  const pid = await service.call('pid', null);
  const killed = service.call('hang', null, { onProgress: () => process.kill(pid, 'SIGKILL') });
  await expect(killed).rejects.toThrow(
    `the test process (pid ${pid}) was killed by SIGKILL; it wrote nothing to stdout or stderr`,
  );
});

it('reports the signal of a child that crashes', async () => {
  await expect(start().call('crash', null)).rejects.toMatchObject({
    kind: 'ProcessLost',
    message: expect.stringContaining('was killed by SIGABRT'),
  });
});

it('loses every call in flight when the child is killed from outside', async () => {
  const service = start();
  const pid = await service.call('pid', null);
  const calls = [service.call('hang', null), service.call('echo', 1)];
  process.kill(pid, 'SIGKILL');
  for (const { status, ...rest } of await Promise.allSettled(calls)) {
    expect(status).toBe('rejected');
    expect(rest).toMatchObject({ reason: { kind: 'ProcessLost' } });
  }
});

it('kills the child on abort and rejects with the reason', async () => {
  const service = start();
  const pid = await service.call('pid', null);
  const abort = new AbortController();
  const onProgress = () => abort.abort(new Error('no longer wanted'));
  await expect(service.call('hang', null, { signal: abort.signal, onProgress })).rejects.toThrow(
    'no longer wanted',
  );
  expect(isAlive(pid)).toBe(false);
});

it('starts nothing for a signal that has aborted already', async () => {
  const service = start();
  await expect(service.call('pid', null, { signal: AbortSignal.abort() })).rejects.toThrow();
  expect(service.pid).toBeUndefined();
});

it('reports an entry that does not exist', async () => {
  const entry = new URL('file:///nowhere/child.ts');
  const service = new ChildService<TestMethods>({ entry, name: 'missing' });
  await expect(service.call('pid', null)).rejects.toMatchObject({
    kind: 'ProcessLost',
    message: expect.stringMatching(/the missing process .*exited with code 1[\s\S]*nowhere/),
  });
});

it('rejects what cannot be sent and serves the next call', async () => {
  const service = start();
  await expect(service.call('echo', () => {})).rejects.toThrow(/could not be cloned/);
  expect(await service.call('echo', 1)).toBe(1);
});

it('gives the child the given environment only', async () => {
  expect(await start({ ONLY: '1' }).call('environment', null)).toEqual(['ONLY']);
});

it("by default gives the child none of the parent's secrets", async () => {
  process.env.SOME_API_KEY = 'secret';
  try {
    const names = await start().call('environment', null);
    expect(names).toContain('PATH');
    expect(names).not.toContain('SOME_API_KEY');
  } finally {
    delete process.env.SOME_API_KEY;
  }
});

it('ends the child on close and rejects calls in flight', async () => {
  const service = start();
  const pid = await service.call('pid', null);
  const call = service.call('hang', null).catch((thrown) => thrown);
  await service.close();
  expect(await call).toMatchObject({ kind: 'ProcessLost' });
  expect(isAlive(pid)).toBe(false);
});

async function startParent(mode: string) {
  const script = fileURLToPath(entryUrl(import.meta.url, './parent.fixture'));
  const parent = spawn(process.execPath, [script, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(parent.stdout, 'data');
  return { parent, childPid: Number(line) };
}

it('the child dies when its parent is killed', async () => {
  const { parent, childPid } = await startParent('wait');
  expect(isAlive(childPid)).toBe(true);
  parent.kill('SIGKILL');
  expect(await gone(childPid)).toBe(true);
});

it('an idle child does not keep its parent alive', async () => {
  const { parent, childPid } = await startParent('end');
  const [code] = await once(parent, 'exit');
  expect(code).toBe(0);
  expect(await gone(childPid)).toBe(true);
});

it('a parent without other work waits until its child is closed', async () => {
  const { parent, childPid } = await startParent('close');
  const [code] = await once(parent, 'exit');
  expect(code).toBe(0);
  expect(isAlive(childPid)).toBe(false);
});

it('ends a child that hangs without progress, and one that is stopped', async () => {
  const service = start();
  const hanging = { kind: 'ProcessStalled', message: /made no progress with 'hang' for 0.5 s/ };
  await expect(service.call('hang', null, { stallMs: 500 })).rejects.toMatchObject({
    ...hanging,
    message: expect.stringMatching(hanging.message),
  });
  const pid = await service.call('pid', null);
  process.kill(pid, 'SIGSTOP');
  const stopped = service.call('echo', 'nothing', { stallMs: 500 });
  await expect(stopped).rejects.toMatchObject({ kind: 'ProcessStalled' });
  expect(await gone(pid)).toBe(true);
  expect(await service.call('echo', 'again')).toBe('again');
});

it('does not end a slow child that reports progress', async () => {
  const service = start();
  await service.call('echo', 'started');
  const options = { stallMs: 2000 };
  expect(await service.call('report', { times: 10, apartMs: 300 }, options)).toBe('done');
});

it('reports that the child ran out of memory', async () => {
  const service = start(undefined, ['--max-old-space-size=64']);
  await expect(service.call('fillMemory', null)).rejects.toMatchObject({
    kind: 'OutOfMemory',
    message: expect.stringMatching(/ran out of memory: it was killed by SIG.*heap out of memory/s),
  });
});
