import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { processorTimeMs } from './processor-time.ts';
import { Idle, Overworked, WorkWatch } from './work-watch.ts';

const children: ChildProcess[] = [];
const watches: WorkWatch[] = [];
afterEach(async () => {
  for (const watch of watches.splice(0)) watch.stop();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function start(script: string): number {
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
  children.push(child);
  return child.pid!;
}
function watched(pid: number, limits: ConstructorParameters<typeof WorkWatch>[1]): WorkWatch {
  const watch = new WorkWatch(() => pid, limits);
  watches.push(watch);
  return watch;
}
const reasonOf = async ({ signal }: WorkWatch) => {
  if (!signal.aborted) await once(signal, 'abort');
  return signal.reason as unknown;
};
const busy = 'for (;;);';

it('reads the processor time of a process, and of none that is gone', async () => {
  const [from, measured, to] = [
    process.cpuUsage(),
    await processorTimeMs(process.pid),
    process.cpuUsage(),
  ].map((it) => (typeof it === 'object' ? (it.user + it.system) / 1000 : it!));
  expect(measured).toBeGreaterThan(from! - 50);
  expect(measured).toBeLessThan(to! + 50);
  expect(await processorTimeMs(2 ** 30)).toBeUndefined();
});

it('ends the wait for a process that works more than its limit', async () => {
  const pid = start(busy);
  const reason = await reasonOf(watched(pid, { cpuMs: 200, idleMs: 3000 }));
  expect(reason).toBeInstanceOf(Overworked);
  expect(await processorTimeMs(pid)).toBeGreaterThan(200);
});

it('ends the wait for a process that does not work, and for one that is stopped', async () => {
  const idle = watched(start('setInterval(() => {}, 10_000)'), { cpuMs: 10_000, idleMs: 600 });
  expect(await reasonOf(idle)).toBeInstanceOf(Idle);
  const pid = start(busy);
  process.kill(pid, 'SIGSTOP');
  expect(await reasonOf(watched(pid, { cpuMs: 10_000, idleMs: 600 }))).toBeInstanceOf(Idle);
});

it('waits for a process that works, in parts or for long', async () => {
  const pid = start(busy);
  const long = watched(pid, { idleMs: 3000 });
  const inParts = watched(pid, { cpuMs: 1000, idleMs: 3000 });
  const parts = setInterval(() => inParts.restart(), 20);
  while ((await processorTimeMs(pid))! < 1500) await delay(50);
  clearInterval(parts);
  expect([long.signal.aborted, inParts.signal.aborted]).toEqual([false, false]);
});
