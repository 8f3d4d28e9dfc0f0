// The fault "store slow" of docs/operations.md: a real S3 server behind a proxy that delays every
// request and for a while answers none.

import { afterAll, beforeAll, expect, it as test } from 'vitest';
import { decodeJsonl } from '../../src/artifacts/jsonl.ts';
import { openStore } from '../../src/artifacts/open-store.ts';
import type { RunResult } from '../../src/workflows/messages.ts';
import { bucket } from '../s3-server.ts';
import { s3Suite } from '../s3-suite.ts';
import { DurableSetting, statusOf, statusSaying, tinyRun } from './durable-run.ts';
import { type SlowProxy, startSlowProxy } from './slow-proxy.ts';
import { openWorkerHost, type WorkerHost } from './worker-host.ts';

const s3 = await s3Suite();
const it = test.skipIf(s3.missing);

const runsDir = `s3://${bucket}/slow`;
const latencyMs = 150;

interface Timing {
  activity: string;
  attempt: number;
  ms: number;
}

let setting: DurableSetting;
let proxy: SlowProxy;
let host: WorkerHost;
let onDisk: RunResult;
beforeAll(async () => {
  if (s3.missing) return;
  setting = await DurableSetting.open();
  onDisk = await (await setting.start('on-disk', tinyRun)).result();
  await setting.worker.close();
  proxy = await startSlowProxy(Number(new URL(s3.server.env.AWS_ENDPOINT_URL_S3!).port), latencyMs);
  host = await openWorkerHost(setting.server.address, runsDir, {
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${proxy.port}`,
    // Tries per request; the default is three, of a minute each.
    AWS_MAX_ATTEMPTS: '1',
    ANNEAL_STORE_CACHE: setting.path('..', 'cache'),
  });
}, 900_000);
afterAll(async () => {
  host?.kill();
  await proxy?.close();
  await setting?.close();
}, 120_000);

const look = () => statusOf('slow', runsDir, setting.server.address);

it('is waited for; a long silence is reported, and the bits are the same', async () => {
  const run = await setting.start('slow', tinyRun);
  await setting.working('slow', 'only', 1, 'generate');
  proxy.stop();
  await statusSaying(/attempt 2 after: s3:.* expected S3 to answer, but TimeoutError/, look);
  proxy.resume();
  expect((await run.result()).checkpoint).toEqual(onDisk.checkpoint);

  const read = (path: string) => openStore(`${runsDir}/slow`).readText(path);
  expect(await read('metrics.jsonl')).toBe(await setting.read('on-disk', 'metrics.jsonl'));
  const timings = decodeJsonl<Timing>((await read('timings.jsonl'))!, 'timings.jsonl');
  const again = timings.filter(({ attempt }) => attempt > 1);
  expect(again).toEqual([expect.objectContaining({ activity: 'generate', epoch: 1 })]);
  for (const { ms } of timings) expect(ms).toBeGreaterThan(latencyMs / 2);
});
