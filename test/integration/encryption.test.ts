// Encrypted payloads with a real server: what it stores, who can read it, and what happens to a
// worker that lacks the key.

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { toFailure } from '../../src/activities/failure.ts';
import { activitiesByQueue, taskQueues } from '../../src/activities/task-queues.ts';
import { AnnealError } from '../../src/errors.ts';
import { startCodecServer } from '../../src/workers/payloads/codec-server.ts';
import { dataConverter } from '../../src/workers/payloads/data-converter.ts';
import { EncryptionCodec } from '../../src/workers/payloads/encryption-codec.ts';
import { readPayloadKeys } from '../../src/workers/payloads/keys.ts';
import { connect, type TemporalServer } from '../../src/workers/server/connect.ts';
import { startServer } from '../../src/workers/server/embedded-server.ts';
import { superviseWorker } from '../../src/workers/supervisor.ts';
import { workflowBundle } from '../../src/workers/workflow-bundle.ts';
import { statusQuery } from '../../src/workflows/messages.ts';
import { fakeActivities, runFile } from './fake-activities.ts';

const exec = promisify(execFile);
const key = `november:${randomBytes(32).toString('base64')}`;
/** Contained in everything that the server must not see. */
const planted = 'planted-plain-text';

let folder: string;
let server: TemporalServer;
let client: Client & { connection: { close(): Promise<void> } };
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  folder = await mkdtemp(join(tmpdir(), 'anneal-encryption-'));
  process.env.ANNEAL_PAYLOAD_KEYS = key;
  server = await startServer({
    binary: process.env.ANNEAL_TEMPORAL_CLI!,
    dataDir: join(folder, 'server'),
    ports: { port: 0, uiPort: 0 },
    log: () => {},
  });
  client = await connect(server);
});
afterAll(async () => {
  delete process.env.ANNEAL_PAYLOAD_KEYS;
  await client?.connection.close();
  await server?.close();
  await rm(folder, { recursive: true });
});

/** A run whose second epoch fails with the planted text, over fake activities. */
async function runToItsFailure(workflowId: string): Promise<void> {
  const message = `a message with ${planted}`;
  const byQueue = activitiesByQueue(
    fakeActivities({
      async train({ epoch }) {
        if (epoch === 2)
          throw toFailure(
            new AnnealError('InvalidConfig', message),
            Context.current().cancellationSignal,
          );
        const policy = { path: `${planted}-${epoch}`, sha256: 'hash', epoch, step: 0 };
        return { policy, stats: (await fakeActivities().train({ epoch } as never)).stats };
      },
    }),
  );
  const connection = await NativeConnection.connect(server.connectionOptions);
  const workers = await Promise.all(
    Object.values(taskQueues).map(async (taskQueue) =>
      Worker.create({
        connection,
        taskQueue,
        activities: byQueue[taskQueue]!,
        dataConverter: dataConverter(),
        ...(taskQueue === taskQueues.workflows && {
          workflowBundle: await workflowBundle({ encodeFailures: true }),
        }),
      }),
    ),
  );
  const running = workers.map((worker) => worker.run());
  try {
    const run = await client.workflow.start('trainingRun', {
      workflowId,
      taskQueue: taskQueues.workflows,
      args: [{ ...runFile, model: { path: planted } }],
      staticSummary: `a summary with ${planted}`,
      memo: { note: planted },
    });
    await expect(run.result()).rejects.toMatchObject({ cause: { message } });
    expect(await run.query(statusQuery)).toMatchObject({ run: workflowId });
  } finally {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
    await connection.close();
  }
}

/** A history in JSON, with base64 decoded. */
function readable(json: string): string {
  const encoded = json.matchAll(/"(?:data|encoding)": *"([^"]+)"/g);
  const decoded = [...encoded].map(([, data]) => Buffer.from(data!, 'base64').toString('latin1'));
  return [json, ...decoded].join('\n');
}

/** Everything that the server stores for a history. */
async function textOf(workflowId: string): Promise<string> {
  return readable(historyToJSON(await client.workflow.getHandle(workflowId).fetchHistory()));
}

it('stores nothing readable of a run on the server; with the key it can be read and replayed', async () => {
  const id = 'encrypted';
  await runToItsFailure(id);
  const ids = [id, `${id}/exploration/epoch-01`, `${id}/refinement/epoch-02`];
  for (const one of ids) {
    const text = await textOf(one);
    expect(text).toContain('binary/encrypted');
    expect(text).not.toContain(planted);
  }
  // The server's own files, including its log.
  const found = exec('grep', ['-rlaF', planted, folder]);
  await expect(found).rejects.toMatchObject({ code: 1, stdout: '' });

  const codec = new EncryptionCodec(readPayloadKeys());
  const { url, close } = await startCodecServer({ codec, port: 0, token: 'token' });
  const show = async (workflowId: string) => {
    const where = [
      '--address',
      server.address,
      '--codec-endpoint',
      url,
      '--codec-auth',
      'Bearer token',
    ];
    const args = ['workflow', 'show', '--output', 'json', '--workflow-id', workflowId, ...where];
    return readable((await exec(server.cliPath!, args, { maxBuffer: 2 ** 26 })).stdout);
  };
  try {
    expect(await show(id)).toContain(planted);
    expect(await show(ids[2]!)).toContain(`a message with ${planted}`);
  } finally {
    await close();
  }

  for (const one of ids) {
    const history = await client.workflow.getHandle(one).fetchHistory();
    const options = { workflowBundle: await workflowBundle({ encodeFailures: true }) };
    await Worker.runReplayHistory({ ...options, dataConverter: dataConverter() }, history, one);
  }
});

it('a worker without the key fails the task and says what to do; one with it continues', async () => {
  const runsDir = join(folder, 'runs');
  const serve = () => superviseWorker({ server, runsDir, log: () => {} });
  const run = await client.workflow.start('trainingRun', {
    workflowId: 'waits-for-the-key',
    taskQueue: taskQueues.workflows,
    args: [{ model: { path: planted } }],
  });
  delete process.env.ANNEAL_PAYLOAD_KEYS;
  const keyless = serve();
  await keyless.ready;
  process.env.ANNEAL_PAYLOAD_KEYS = key;
  let failure: string | null | undefined;
  while (!failure) {
    const { events } = await run.fetchHistory();
    const failed = events?.find((event) => event.workflowTaskFailedEventAttributes);
    failure = failed?.workflowTaskFailedEventAttributes?.failure?.message;
    await delay(50);
  }
  await keyless.close();
  expect(failure).toContain("encrypted with the key 'november', and the keys here are: none. Add");
  expect((await run.describe()).status.name).toBe('RUNNING');

  const worker = serve();
  await expect(run.result()).rejects.toMatchObject({ cause: { type: 'InvalidConfig' } });
  await worker.close();
  const text = await textOf('waits-for-the-key');
  expect(text).toContain('Encoded failure');
  expect(text).not.toContain(planted);
});
