// The faults of docs/operations.md, with a real server, a real worker and the embedded policy: each
// is reported, and the run continues.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activitiesByQueue, taskQueues } from '../../src/activities/task-queues.ts';
import { observeRun, workflowTaskProblem } from '../../src/client/run-state.ts';
import { connect } from '../../src/workers/server/connect.ts';
import { freePorts, host } from '../../src/workers/server/ports.ts';
import { endServer, launchServer } from '../../src/workers/server/server-process.ts';
import { superviseWorker } from '../../src/workers/supervisor.ts';
import { workflowBundle } from '../../src/workers/workflow-bundle.ts';
import type { trainingRun } from '../../src/workflows/index.ts';
import { epochWorkflowId, type RunResult } from '../../src/workflows/messages.ts';
import { engineOf } from '../model-process.ts';
import { mountSmallDisk, smallDiskMissing } from '../small-disk.ts';
import { DurableSetting, statusOf, statusSaying, tinyRun } from './durable-run.ts';
import { fakeActivities, runFile } from './fake-activities.ts';

describe('a run', () => {
  let setting: DurableSetting;
  let undisturbed: RunResult;
  beforeAll(async () => {
    setting = await DurableSetting.open();
    undisturbed = await (await setting.start('undisturbed', tinyRun)).result();
  }, 300_000);
  afterAll(() => setting?.close(), 120_000);

  it.runIf(process.platform === 'linux')('continues after its engine hangs', async () => {
    const file = { ...tinyRun, engine: { ...tinyRun.engine, stall_seconds: 8 } };
    const run = await setting.start('hanging', file);
    await setting.working('hanging', 'only', 1, 'generate');
    process.kill((await engineOf(setting.worker.pid))!, 'SIGSTOP');
    expect((await run.result()).checkpoint).toEqual(undisturbed.checkpoint);
    const epoch = setting.client.workflow.getHandle(epochWorkflowId('hanging', 'only', 1));
    const { events } = await epoch.fetchHistory();
    const failures = events!.flatMap(
      ({ activityTaskStartedEventAttributes: started }) => started?.lastFailure?.message ?? [],
    );
    expect(failures).toEqual([
      expect.stringMatching(/no progress with '(generate|train)' for 8 s.*stall_seconds/s),
    ]);
  });

  it.runIf(process.platform === 'linux')(
    'ends if its engine crashes on the same shard every time, and names the prompts',
    async () => {
      const run = await setting.start('poisoned', tinyRun);
      await setting.written('poisoned', 'manifest.json');
      let ended = false;
      const failure = run.result().then(
        () => null,
        (error) => error.cause,
      );
      void failure.finally(() => {
        ended = true;
      });
      while (!ended) {
        const engine = await engineOf(setting.worker.pid);
        if (engine !== undefined) process.kill(engine, 'SIGKILL');
        await delay(50);
      }
      expect(await failure).toMatchObject({
        type: 'ProcessLost',
        message: expect.stringMatching(
          /^epoch 0, held-out, shard 1, prompts \S.*: the model process .*SIGKILL.*5 times\.$/s,
        ),
      });
    },
  );
});

const noDisk = smallDiskMissing();
if (noDisk) console.warn(`skipped: ${noDisk}`);

describe.skipIf(noDisk)('a run on a disk', () => {
  let setting: DurableSetting;
  let undisturbed: RunResult;
  let disk: ReturnType<typeof mountSmallDisk>;
  beforeAll(async () => {
    setting = await DurableSetting.open();
    const runs = join(setting.folder, 'runs');
    mkdirSync(runs);
    disk = mountSmallDisk(200_000_000, runs);
    undisturbed = await (await setting.start('undisturbed', tinyRun)).result();
  }, 300_000);
  afterAll(async () => {
    disk?.close();
    await setting?.close();
  }, 120_000);

  const look = (run: string) => () => statusOf(run, disk.folder, setting.server.address);

  it('that is full waits for space, says so, and ends with the same bits', async () => {
    const run = await setting.start('full', tinyRun);
    await setting.working('full', 'only', 1, 'generate');
    const filler = join(disk.folder, 'filler');
    const fill = () => writeFileSync(filler, Buffer.alloc(1e6), { flag: 'a' });
    expect(() => {
      for (;;) fill();
    }).toThrow('ENOSPC');
    await statusSaying(/attempt \d+ after: .*full\/.*the disk is full; free/, look('full'));
    rmSync(filler);
    expect((await run.result()).checkpoint).toEqual(undisturbed.checkpoint);
    expect(await setting.read('full', 'metrics.jsonl')).toBe(
      await setting.read('undisturbed', 'metrics.jsonl'),
    );
  });

  it('that becomes read-only waits, says so, and ends with the same bits', async () => {
    const run = await setting.start('read-only', tinyRun);
    await setting.working('read-only', 'only', 1, 'generate');
    // The system refuses this while a file is being written.
    for (let set = false; !set; )
      try {
        disk.setReadOnly(true);
        set = true;
      } catch {
        await delay(20);
      }
    await statusSaying(/attempt \d+ after: .*mounted read-only/, look('read-only'));
    disk.setReadOnly(false);
    expect((await run.result()).checkpoint).toEqual(undisturbed.checkpoint);
  });
});

describe('a server', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'anneal-away-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('that is unreachable is waited for; status says so, and the run continues', async () => {
    const ports = await freePorts({ port: 0, uiPort: 0 });
    const options = { binary: process.env.ANNEAL_TEMPORAL_CLI!, dataDir: folder, ports };
    const launch = () => launchServer({ ...options, log: () => {} });
    let pid = await launch();
    const address = `${host}:${ports.port}`;
    const server = { connectionOptions: { address }, namespace: 'default' };
    const runsDir = join(folder, 'runs');
    const worker = superviseWorker({ server, runsDir, log: () => {} });
    await worker.ready;
    const client = await connect(server);
    try {
      const run = await client.workflow.start<typeof trainingRun>('trainingRun', {
        workflowId: 'away',
        taskQueue: taskQueues.workflows,
        args: [tinyRun],
      });
      const look = () => statusOf('away', runsDir, address);
      await statusSaying(/only/, look);
      process.kill(pid, 'SIGKILL');
      const seen = await statusSaying(/does not answer/, look);
      expect(seen).toContain(`state   the Temporal server does not answer`);
      expect(seen).toContain(address);
      // Longer than the heartbeat timeout.
      await delay(12_000);
      pid = await launch();
      expect(await run.result()).toMatchObject({ run: 'away', epochs: 1 });
    } finally {
      await worker.close();
      await client.connection.close();
      await endServer(pid, () => isAlive(pid));
    }
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('a worker of another version', () => {
  let setting: DurableSetting;
  let connection: NativeConnection;
  beforeAll(async () => {
    setting = await DurableSetting.open();
    // This test starts its own workers.
    await setting.worker.close();
    connection = await NativeConnection.connect(setting.server.connectionOptions);
  });
  afterAll(async () => {
    await connection?.close();
    await setting?.close();
  }, 120_000);

  type Bundle = { codePath: string } | { code: string };
  const quiet = new DefaultLogger('ERROR', () => {});

  /** Serve every queue with fake activities, except those in `without`, while `body` runs. */
  async function serving(bundle: Bundle, without: string[], body: () => Promise<void>) {
    const byQueue = activitiesByQueue(fakeActivities());
    const workers = await Promise.all(
      Object.values(taskQueues).map((taskQueue) => {
        const known = Object.entries(byQueue[taskQueue]!).filter(([n]) => !without.includes(n));
        return Worker.create({
          ...{ connection, taskQueue, activities: Object.fromEntries(known) },
          ...(taskQueue === taskQueues.workflows ? { workflowBundle: bundle } : {}),
        });
      }),
    );
    const running = workers.map((worker) => worker.run());
    try {
      await body();
    } finally {
      for (const worker of workers) worker.shutdown();
      await Promise.all(running);
    }
  }

  async function until<T>(look: () => Promise<T | null | undefined>): Promise<T> {
    for (;;) {
      const seen = await look().catch(() => null);
      if (seen) return seen;
      await delay(100);
    }
  }

  it('is distinguished from no worker at all, and does no harm', async () => {
    const workflowsPath = fileURLToPath(new URL('../replay/changed-workflows.ts', import.meta.url));
    const changed = await bundleWorkflowCode({ workflowsPath, logger: quiet });
    const current = await workflowBundle();
    const run = await setting.start('other-version', runFile);
    const { client } = setting;
    // One that lacks an activity: the run says which, and waits.
    await serving(current, ['evaluate'], async () => {
      const failure = await until(async () => {
        const { stages } = await observeRun(client, 'other-version', null);
        return stages.find(({ failure: why }) => why)?.failure;
      });
      expect(failure).toMatch(/evaluate.*not registered/);
    });
    // One with different workflows.
    await run.signal('nudge');
    await serving(changed, [], async () => {
      const problem = await until(() => workflowTaskProblem(client, 'other-version'));
      expect(problem).toMatch(/no worker can continue other-version: .*Start workers of/s);
      const seen = await statusOf(
        'other-version',
        join(setting.folder, 'runs'),
        setting.server.address,
      );
      expect(seen).toContain('no worker can continue other-version');
    });
    await serving(current, [], async () => {
      expect(await run.result()).toMatchObject({ epochs: 3 });
    });
  });
});
