// Temporal workers of one process: one for each task queue that it serves, over one connection
// and one model process. worker-process.ts runs them in a process of their own.

import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { createActivities } from '../activities/index.ts';
import { activitiesByQueue, taskQueues } from '../activities/task-queues.ts';
import { resolveAddress } from '../artifacts/address.ts';
import type { Reward } from '../rewards/reward.ts';
import { createModelClient } from '../rl/model-client.ts';
import { type AddedActivities, withAdded } from './added-activities.ts';
import { deploymentOptions } from './deployment.ts';
import { handBack } from './hand-back.ts';
import { dataConverter } from './payloads/data-converter.ts';
import { type PayloadKeys, readPayloadKeys } from './payloads/keys.ts';
import type { TemporalServer } from './server/connect.ts';
import { workflowBundle } from './workflow-bundle.ts';

export type QueueName = keyof typeof taskQueues;
export const queueNames = Object.keys(taskQueues) as QueueName[];

export interface WorkerSettings {
  server: Pick<TemporalServer, 'connectionOptions' | 'namespace'>;
  /** The folder that holds the runs' folders, created when first written to, or `s3://bucket/prefix`. */
  runsDir: string;
  /** Task queues to serve; all of them by default. */
  queues?: readonly QueueName[];
  /** Names of the workers, all of them dead, in whose place it is: what they held goes on at once. */
  inPlaceOf?: readonly string[];
}

/** What a worker serves beyond Anneal's own workflows, activities and rewards. */
export interface WorkerAdditions {
  /** Served on the queue of the workflows, under names that Anneal does not use. */
  activities?: AddedActivities;
  /** A module that exports your workflows and Anneal's, bundled instead of Anneal's alone. */
  workflowsPath?: string;
  /** Rewards that score every completion, beside those of the run file. */
  rewards?: readonly Reward[];
}

interface WorkerHooks {
  signal?: AbortSignal;
  /** Called once the workers take work. */
  onReady?: () => void;
}

/**
 * Serve task queues until `signal` aborts, then finish or hand back what is in work.
 * @throws the error of a worker that cannot start or go on, after the others have ended.
 */
export async function runWorker(
  { server, runsDir, queues = queueNames, inPlaceOf = [] }: WorkerSettings,
  {
    signal,
    onReady,
    activities: added,
    workflowsPath,
    rewards,
  }: WorkerHooks & WorkerAdditions = {},
): Promise<void> {
  const keys = readPayloadKeys();
  const deployment = deploymentOptions();
  const models = createModelClient();
  // Where it fails the server misses their heartbeats, seconds later.
  handBack(server, inPlaceOf).catch((error) => console.warn('nothing was handed back:', error));
  const connection = await NativeConnection.connect(server.connectionOptions);
  try {
    const all = createActivities({ runsDir: resolveAddress(runsDir), models, rewards });
    const activities = withAdded(activitiesByQueue(all), added);
    const workers = await Promise.all(
      queues.map(async (queue) =>
        Worker.create({
          ...(await optionsOf(queue, keys, workflowsPath)),
          ...deployment,
          dataConverter: dataConverter(keys),
          connection,
          namespace: server.namespace,
          taskQueue: taskQueues[queue],
          activities: activities[taskQueues[queue]]!,
        }),
      ),
    );
    await runTogether(workers, signal, onReady);
  } finally {
    await models.close();
    await connection.close();
  }
}

/** A worker that ends, for whatever reason, ends the others: half a worker helps nobody. */
async function runTogether(
  workers: Worker[],
  signal?: AbortSignal,
  onReady?: () => void,
): Promise<void> {
  const shutDown = () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const running = workers.map((worker) => worker.run().finally(shutDown));
  signal?.addEventListener('abort', shutDown, { once: true });
  if (signal?.aborted) shutDown();
  onReady?.();
  const outcomes = await Promise.allSettled(running);
  signal?.removeEventListener('abort', shutDown);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}

/** How many activities of a queue one process works on at a time. */
const slots: Record<QueueName, number> = {
  workflows: 4,
  /** One device: the model process takes one job at a time, and the next one waits at hand. */
  generate: 2,
  train: 1,
  score: 2,
};

async function optionsOf(
  queue: QueueName,
  keys: PayloadKeys,
  workflowsPath?: string,
): Promise<Partial<WorkerOptions>> {
  return {
    ...(queue === 'workflows' && (await workflowsOf(keys, workflowsPath))),
    maxConcurrentActivityTaskExecutions: slots[queue],
    // What a killed worker held is noticed by what it last said: say it often.
    maxHeartbeatThrottleInterval: '1 second',
    defaultHeartbeatThrottleInterval: '1 second',
    // A workflow task that waits for a worker that is gone goes to another.
    stickyQueueScheduleToStartTimeout: '2 seconds',
    shutdownGraceTime: '2 seconds',
    shutdownForceTime: '20 seconds',
  };
}

async function workflowsOf(keys: PayloadKeys, workflowsPath?: string) {
  if (workflowsPath !== undefined) return { workflowsPath };
  return { workflowBundle: await workflowBundle({ encodeFailures: keys.size > 0 }) };
}
