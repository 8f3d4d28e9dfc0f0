// Signals and exit codes between a command and the Node that it runs in. The outer process is real,
// since the tests kill it to see that no process is left behind.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const runNode = new URL('./run-node.mjs', import.meta.url).href;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'anneal-bin-'));
  const outer = `
    import { exitLike, runNode } from '${runNode}';
    const args = ['${join(folder, 'inner.mjs')}', ...process.argv.slice(2)];
    exitLike(await runNode(process.execPath, args, { endWithParent: true }));`;
  const inner = `
    if (process.argv[2] === 'exit') process.exit(5);
    if (process.argv[2] === 'abort') process.kill(process.pid, 'SIGKILL');
    for (const signal of ['SIGINT', 'SIGTERM'])
      process.on(signal, () => { console.log(signal); process.exit(7); });
    setInterval(() => {}, 1000);
    console.log('ready');`;
  writeFileSync(join(folder, 'outer.mjs'), outer);
  writeFileSync(join(folder, 'inner.mjs'), inner);
});
afterAll(() => rmSync(folder, { recursive: true }));

const start = (...args: string[]): ChildProcess =>
  spawn(process.execPath, [join(folder, 'outer.mjs'), ...args], { stdio: ['ignore', 'pipe', 2] });

it('exits with the exit code of the script', async () => {
  expect(await once(start('exit'), 'exit')).toEqual([5, null]);
});

it('ends by the same signal as the script', async () => {
  expect(await once(start('abort'), 'exit')).toEqual([null, 'SIGKILL']);
});

it.each(['SIGINT', 'SIGTERM'] as const)('passes %s on and waits for the end', async (signal) => {
  const outer = start();
  await once(outer.stdout!, 'data');
  outer.kill(signal);
  const [[said], end] = await Promise.all([once(outer.stdout!, 'data'), once(outer, 'exit')]);
  expect(String(said).trim()).toBe(signal);
  expect(end).toEqual([7, null]);
});

it('leaves no process behind if it is killed', async () => {
  const outer = start();
  await once(outer.stdout!, 'data');
  outer.kill('SIGKILL');
  // The inner process shares standard output, which closes only when both have ended.
  const [[said]] = await Promise.all([once(outer.stdout!, 'data'), once(outer, 'close')]);
  expect(String(said).trim()).toBe('SIGTERM');
});
