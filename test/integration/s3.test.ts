// Workers that share only an S3 bucket and a Temporal server: each has its own cache, as on a
// separate machine. They train adapters, whose base is another folder.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it as test } from 'vitest';
import { sharedPath } from '../../src/artifacts/layout.ts';
import { openInventory, openStore } from '../../src/artifacts/open-store.ts';
import { unusedVerdicts } from '../../src/cli/runs/garbage.ts';
import { rubric, startJudgeServer } from '../../src/rewards/judge/judge-server.fixture.ts';
import type { RunResult } from '../../src/workflows/messages.ts';
import { epochWorkflowId } from '../../src/workflows/messages.ts';
import { bucket } from '../s3-server.ts';
import { s3Suite } from '../s3-suite.ts';
import { DurableSetting, shortRun, tinyRun } from './durable-run.ts';
import { openWorkerHost, type WorkerHost } from './worker-host.ts';

const s3 = await s3Suite();
const it = test.skipIf(s3.missing);

const runsDir = `s3://${bucket}/shared`;
const file = { ...shortRun, model: { ...shortRun.model, lora: { rank: 4, alpha: 8 } } };

let setting: DurableSetting;
let onDisk: RunResult;
let hosts: Host[];
beforeAll(async () => {
  if (s3.missing) return;
  setting = await DurableSetting.open();
  onDisk = await (await setting.start('on-disk', file)).result();
  await setting.worker.close();
  hosts = await Promise.all(['one', 'two'].map(openHost));
}, 900_000);
afterAll(async () => {
  for (const host of hosts ?? []) host.kill();
  await setting?.close();
}, 120_000);

interface Host extends WorkerHost {
  /** Its cache folder. */
  cache: string;
}

async function openHost(name: string): Promise<Host> {
  const cache = setting.path('..', name);
  const env = { ANNEAL_STORE_CACHE: cache };
  return { cache, ...(await openWorkerHost(setting.server.address, runsDir, env)) };
}

const read = (run: string, path: string) => openStore(`${runsDir}/${run}`).readText(path);

it("stores the judges' shared data in the bucket, for two machines and the next run", async () => {
  const judge = await startJudgeServer({ latencyMs: 100 });
  try {
    const service = {
      kind: 'judge',
      base_url: judge.url,
      model: 'judge',
      mode: 'pointwise',
      rubric,
    };
    const bounds = { requests_per_minute: 60_000, budget: { calls: 1000 } };
    const rewards = [{ ...service, ...bounds }];
    const engine = { ...tinyRun.engine, shard_prompts: 1 };
    const judged = { ...tinyRun, engine, rewards };
    const first = await (await setting.start('judged', judged)).result();
    expect(judge.questions.size).toBeGreaterThan(0);
    expect(judge.requests).toBe(judge.questions.size);

    const kept = (await openInventory(runsDir).entries(sharedPath)).map(({ path }) => path);
    const under = (folder: string) =>
      kept.filter((path) => path.startsWith(`${sharedPath}/${folder}/`));
    expect(under('verdicts')).toHaveLength(judge.questions.size);
    expect(await unusedVerdicts(runsDir, 0)).toEqual([]);
    expect(under('limits')).not.toEqual([]);
    const account = await openStore(runsDir).readText(under('budgets/judged/judge').at(-1)!);
    expect(JSON.parse(account!)).toMatchObject({ calls: judge.requests });

    const again = await (await setting.start('judged-again', judged)).result();
    expect(again.checkpoint).toEqual(first.checkpoint);
    expect(judge.requests).toBe(judge.questions.size);
  } finally {
    await judge.close();
  }
});

it('ends with the same bits as on one disk after one of two machines is lost', async () => {
  const run = await setting.start('shared', file);
  await setting.working('shared', 'refinement', 2, 'train');
  const [lost, left] = hosts as [Host, Host];
  lost.kill();
  const { checkpoint } = await run.result();

  expect(checkpoint).toEqual(onDisk.checkpoint);
  expect(await read('shared', 'metrics.jsonl')).toBe(
    await setting.read('on-disk', 'metrics.jsonl'),
  );
  expect(existsSync(setting.path('shared', '.'))).toBe(false);
  const { events } = await setting.client.workflow
    .getHandle(epochWorkflowId('shared', 'exploration', 1))
    .fetchHistory();
  const workers = events!.map((event) => event.activityTaskStartedEventAttributes?.identity ?? '');
  for (const { worker, cache } of [lost, left]) {
    expect(workers.some((identity) => identity.startsWith(`${worker}@`))).toBe(true);
    for (const name of ['start', 'epoch-01'])
      expect(existsSync(`${cache}/${bucket}/shared/shared/checkpoints/${name}`)).toBe(true);
  }
});

it("continues from another run's epoch in the bucket exactly as that run did", async () => {
  const resume_from = `${runsDir}/shared/checkpoints/epoch-01`;
  const run = await setting.start('resumed', { ...file, resume_from });
  const { checkpoint, epochs } = await run.result();
  expect(epochs).toBe(1);
  expect(checkpoint).toEqual(onDisk.checkpoint);
  expect(await read('resumed', 'metrics.jsonl')).toBe(await read('shared', 'metrics.jsonl'));
});

it('can be read by the commands that read runs', async () => {
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const address = { TEMPORAL_ADDRESS: setting.server.address };
  const anneal = async (...args: string[]) => {
    const command = [main, ...args, 'shared', '--runs-dir', runsDir];
    const env = { ...process.env, ...address };
    return (await promisify(execFile)(process.execPath, command, { env })).stdout;
  };
  const status = JSON.parse(await anneal('status', '--json'));
  expect(status).toMatchObject({ execution: 'COMPLETED', folder: `${runsDir}/shared` });
  expect(status.metrics.map((line: { epoch: number }) => line.epoch)).toEqual([0, 1, 2]);
  expect(`${await anneal('report', '--epoch', '2')}`).toContain('Epoch 2');
  const rollouts = JSON.parse(await anneal('rollouts', '--json'));
  expect(rollouts).toHaveLength(8 * 16);
  const timings = (await read('shared', 'timings.jsonl'))!.trim().split('\n');
  expect(timings.map((line) => JSON.parse(line).activity)).toEqual(
    expect.arrayContaining(['prepare', 'generate', 'score', 'train', 'analyze']),
  );
});
