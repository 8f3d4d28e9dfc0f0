// Worker processes hand back their work when they close, and exit if nothing supervises them.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { superviseWorker } from '../../src/workers/supervisor.ts';
import { DurableSetting, shortRun } from './durable-run.ts';

let setting: DurableSetting;
beforeAll(async () => {
  setting = await DurableSetting.open();
}, 120_000);
afterAll(() => setting?.close(), 120_000);

it('hands back its work when it is closed, and another worker takes it', async () => {
  const phases = [{ name: 'only', epochs: [1, 1] }];
  const run = await setting.start('handed-over', { ...shortRun, phases });
  await setting.working('handed-over', 'only', 1, 'generate');
  const closing = Date.now();
  await setting.worker.close();
  expect(Date.now() - closing).toBeLessThan(10_000);

  const { server } = setting;
  const runsDir = setting.path('..', 'runs');
  const another = superviseWorker({ server, runsDir, log: () => {} });
  try {
    expect((await run.result()).epochs).toBe(1);
  } finally {
    await another.close();
  }
  const attempts = await setting.attempts('handed-over', 'only', 1);
  expect(attempts.filter(({ lastFailure }) => lastFailure?.timeoutFailureInfo)).toEqual([]);
});

it('says of a worker that was killed what it wrote itself', async () => {
  const log: string[] = [];
  const runsDir = setting.path('..', 'runs');
  const worker = superviseWorker({
    server: setting.server,
    runsDir,
    log: (line) => log.push(line),
  });
  try {
    await worker.ready;
    process.kill(worker.pid!, 'SIGKILL');
    await expect.poll(() => log, { timeout: 30_000 }).toHaveLength(1);
    expect(log[0]).toMatch(
      /^the worker ended with SIGKILL and is restarted; it(s last output:| wrote)/,
    );
  } finally {
    await worker.close();
  }
});

it('exits with the process that supervises it, however that exits', async () => {
  const script = fileURLToPath(new URL('./hold-worker.ts', import.meta.url));
  const runsDir = setting.path('..', 'runs');
  const holder = spawn(process.execPath, [script, setting.server.address, runsDir]);
  const [printed] = await once(holder.stdout, 'data');
  const worker = Number(printed);
  const alive = () => {
    try {
      return process.kill(worker, 0);
    } catch {
      return false;
    }
  };
  expect(alive()).toBe(true);
  holder.kill('SIGKILL');
  for (let tries = 0; alive() && tries < 150; tries++) await delay(100);
  expect(alive()).toBe(false);
});
