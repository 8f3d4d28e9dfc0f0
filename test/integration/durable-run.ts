// A real server, a real worker and the embedded policy, small enough for tests, with helpers to run
// a run and inspect its files.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { taskQueues } from '../../src/activities/task-queues.ts';
import { packageRoot } from '../../src/config/paths.ts';
import type { RunFile } from '../../src/config/schema/run.ts';
import { connect, type TemporalServer } from '../../src/workers/server/connect.ts';
import { startServer } from '../../src/workers/server/embedded-server.ts';
import { readRecord } from '../../src/workers/server/server-record.ts';
import { type SupervisedWorker, superviseWorker } from '../../src/workers/supervisor.ts';
import type { trainingRun } from '../../src/workflows/index.ts';
import { epochWorkflowId } from '../../src/workflows/messages.ts';

/** Two short phases of the embedded policy; the second has its own reference. */
export const shortRun: RunFile = {
  seed: 7,
  model: { path: process.env.ANNEAL_TEST_POLICY ?? 'models/policy' },
  prompts: { train: 'data/train.jsonl', held_out: 'data/held-out.jsonl' },
  engine: { shard_prompts: 4, snapshot_seconds: 0.1 },
  rlaif: { prompts_per_epoch: 8, num_samples_per_prompt: 16, max_new_tokens: 96 },
  training: { batch_size: 16, microbatch_size: 8, warmup_steps: 2, learning_rate: 1e-4 },
  evaluation: { prompts: 8, num_samples_per_prompt: 4 },
  phases: [
    { name: 'exploration', epochs: [1, 1], rlaif: { generation_temperature: 1.3 } },
    { name: 'refinement', epochs: [2, 2], reset_reference: true },
  ],
};

/** One even shorter epoch. */
export const tinyRun: RunFile = {
  ...shortRun,
  rlaif: { prompts_per_epoch: 4, num_samples_per_prompt: 8, max_new_tokens: 48 },
  training: { ...shortRun.training, batch_size: 8, microbatch_size: 8 },
  evaluation: { prompts: 4, num_samples_per_prompt: 2, greedy: false },
  phases: [{ name: 'only', epochs: [1, 1] }],
};

export type Run = WorkflowHandle<typeof trainingRun>;

/** PENDING_ACTIVITY_STATE_STARTED. */
const pendingState = { started: 2 };

/** An activity's last attempt, and the process id of its worker. */
export interface Attempt {
  activity: string;
  attempt: number;
  worker: number;
  /** Why the previous attempt failed; null for the first. */
  lastFailure: { message?: string | null; timeoutFailureInfo?: object | null } | null;
}

/** A worker's identity is `pid@host`. */
const pidOf = (identity: string | null | undefined) => Number.parseInt(identity ?? '', 10);

export class DurableSetting {
  readonly folder: string;
  readonly server: TemporalServer;
  readonly worker: SupervisedWorker;
  readonly client: Client & { connection: { close(): Promise<void> } };
  /** Lines that server and worker logged to their supervisors. */
  readonly log: string[];

  /** @param otherServer used instead of an embedded one; closed with the setting. */
  static async open(otherServer?: TemporalServer): Promise<DurableSetting> {
    const folder = await mkdtemp(join(tmpdir(), 'anneal-durable-'));
    const log: string[] = [];
    const server =
      otherServer ??
      (await startServer({
        binary: process.env.ANNEAL_TEMPORAL_CLI!,
        dataDir: join(folder, 'server'),
        ports: { port: 0, uiPort: 0 },
        log: (line) => log.push(line),
      }));
    const runsDir = join(folder, 'runs');
    const allowPaths = [tmpdir(), process.env.ANNEAL_TEST_POLICY ?? '.'];
    const worker = superviseWorker({ server, runsDir, allowPaths, log: (line) => log.push(line) });
    await worker.ready;
    return new DurableSetting(folder, server, worker, await connect(server), log);
  }

  private constructor(
    folder: string,
    server: TemporalServer,
    worker: SupervisedWorker,
    client: DurableSetting['client'],
    log: string[],
  ) {
    this.folder = folder;
    this.server = server;
    this.worker = worker;
    this.client = client;
    this.log = log;
  }

  start(id: string, file: unknown): Promise<Run> {
    return this.client.workflow.start<typeof trainingRun>('trainingRun', {
      workflowId: id,
      taskQueue: taskQueues.workflows,
      args: [file],
    });
  }

  /** Absolute path of a run's file. */
  path(run: string, file: string): string {
    return join(this.folder, 'runs', run, file);
  }

  /** Text of a run's file. */
  read(run: string, file: string): Promise<string> {
    return readFile(this.path(run, file), 'utf8');
  }

  /**
   * Wait until a worker, other than those in `not`, runs an activity of that kind in an epoch of the
   * run.
   * @returns the process id of its worker
   */
  async working(
    run: string,
    phase: string,
    epoch: number,
    activity: string,
    not: readonly number[] = [],
  ): Promise<number> {
    const handle = this.client.workflow.getHandle(epochWorkflowId(run, phase, epoch));
    for (;;) {
      const description = await handle.describe().catch(() => null);
      const pending = description?.raw.pendingActivities ?? [];
      const found = pending.find(
        (one) =>
          one.activityType?.name === activity &&
          one.state === pendingState.started &&
          !not.includes(pidOf(one.lastWorkerIdentity)),
      );
      if (found) return pidOf(found.lastWorkerIdentity);
      await delay(10);
    }
  }

  /** The last attempt of each activity of an epoch, in the order of their starts. */
  async attempts(run: string, phase: string, epoch: number): Promise<Attempt[]> {
    const handle = this.client.workflow.getHandle(epochWorkflowId(run, phase, epoch));
    const { events } = await handle.fetchHistory();
    return events!.flatMap(({ activityTaskStartedEventAttributes: started }) => {
      if (!started) return [];
      const id = Number(started.scheduledEventId);
      const scheduled = events!.find(({ eventId }) => Number(eventId) === id)!;
      return {
        activity: scheduled.activityTaskScheduledEventAttributes!.activityType!.name!,
        attempt: started.attempt!,
        worker: pidOf(started.identity),
        lastFailure: started.lastFailure ?? null,
      };
    });
  }

  /** Wait until the run's folder contains that file. */
  async written(run: string, file: string): Promise<void> {
    while (!existsSync(this.path(run, file))) await delay(5);
  }

  /** SIGKILL the current worker. */
  killWorker(): void {
    process.kill(this.worker.pid!, 'SIGKILL');
  }

  /** SIGKILL the current server. */
  killServer(): void {
    process.kill(readRecord(join(this.folder, 'server'))!.pid!, 'SIGKILL');
  }

  async close(): Promise<void> {
    await this.worker.close();
    await this.client.connection.close();
    await this.server.close();
    await rm(this.folder, { recursive: true });
  }
}

/** The output of `anneal status`. */
export function statusOf(
  run: string,
  runsDir: string,
  address: string,
  ...flags: string[]
): Promise<string> {
  const cli = join(packageRoot, 'src/cli/main.ts');
  const args = [cli, 'status', run, '--runs-dir', runsDir, ...flags];
  const env = { ...process.env, TEMPORAL_ADDRESS: address, NO_COLOR: '1' };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env }, (_, stdout, stderr) => resolve(stdout + stderr));
  });
}

/** The output of `anneal status`, once it matches. */
export async function statusSaying(what: RegExp, look: () => Promise<string>): Promise<string> {
  for (;;) {
    const text = await look();
    if (what.test(text)) return text;
    await delay(200);
  }
}
