// Six workers on three hosts with their own addresses, which share the server and a runs folder.
// One host is cut off in the middle of an activity, which the others repeat. Then it is
// reconnected, the others leave, and it finishes the run.

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it as test } from 'vitest';
import type { TemporalServer } from '../../src/workers/server/connect.ts';
import type { RunResult } from '../../src/workflows/messages.ts';
import { searchKeys } from '../../src/workflows/search-attributes.ts';
import { DurableSetting, shortRun } from './durable-run.ts';
import { type Host, Network, networkMissing } from './network.ts';

const missing = networkMissing();
if (missing) console.warn(`skipped: ${missing}`);
const it = test.skipIf(missing !== null);

const file = { ...shortRun, engine: { ...shortRun.engine, shard_prompts: 1, threads: 1 } };

let network: Network;
let setting: DurableSetting;
let single: RunResult;
let hosts: Host[];
const workers = new Map<Host, ChildProcess[]>();
beforeAll(async () => {
  if (missing) return;
  network = await Network.open();
  setting = await DurableSetting.open(await serverOn(network.address));
  single = await (await setting.start('single', file)).result();
  await setting.worker.close();
  hosts = [await network.addHost(), await network.addHost(), await network.addHost()];
  for (const host of hosts)
    workers.set(host, await Promise.all([startWorker(host), startWorker(host)]));
}, 900_000);
afterAll(async () => {
  await network?.close();
  await setting?.close();
}, 120_000);

/** A server that listens on that address of this machine. */
async function serverOn(ip: string): Promise<TemporalServer> {
  const env = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: process.env.ANNEAL_TEMPORAL_CLI! },
      searchAttributes: Object.values(searchKeys),
      ip: '0.0.0.0',
    },
  });
  const address = `${ip}:${env.address.split(':').at(-1)}`;
  return {
    address,
    namespace: 'default',
    connectionOptions: { address },
    uiUrl: null,
    cliPath: null,
    close: () => env.teardown(),
  };
}

/** Start `anneal worker` on a host, and wait until it takes work. */
async function startWorker({ name }: Host): Promise<ChildProcess> {
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const command = [process.execPath, main, 'worker', '--runs-dir', setting.path('..', 'runs')];
  const worker = spawn('ip', ['netns', 'exec', name, ...command], {
    env: { ...process.env, TEMPORAL_ADDRESS: setting.server.address },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    worker.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('Press Ctrl-C to stop')) resolve();
    });
    worker.on('exit', (code) => reject(new Error(`anneal worker exited with code ${code}`)));
  });
  return worker;
}

const hostOf = async (pid: number) => {
  for (const host of hosts) if ((await host.pids()).includes(pid)) return host;
  throw new Error(`expected worker ${pid} on one of the hosts, found it on none`);
};

it('ends with the same bits after a host is cut off and reconnected', async () => {
  const run = await setting.start('spread', file);
  const lost = await setting.working('spread', 'exploration', 1, 'train');
  const cutOff = await hostOf(lost);
  await cutOff.setLink('down');
  // The server may give it to that host's other worker, whose poll has not timed out yet.
  const successor = await setting.working('spread', 'exploration', 1, 'train', await cutOff.pids());
  expect(await hostOf(successor)).not.toBe(cutOff);

  await setting.working('spread', 'refinement', 2, 'generate');
  await cutOff.setLink('up');
  const back = await cutOff.pids();
  for (const [host, leaving] of workers)
    if (host !== cutOff) for (const worker of leaving) worker.kill('SIGTERM');
  const { checkpoint } = await run.result();

  expect(checkpoint).toEqual(single.checkpoint);
  expect(await setting.read('spread', 'metrics.jsonl')).toBe(
    await setting.read('single', 'metrics.jsonl'),
  );
  const [trained] = (await setting.attempts('spread', 'exploration', 1)).filter(
    ({ activity }) => activity === 'train',
  );
  expect(trained!.lastFailure!.timeoutFailureInfo).toBeTruthy();
  const last = (await setting.attempts('spread', 'refinement', 2)).at(-1)!;
  expect(back).toContain(last.worker);
});
