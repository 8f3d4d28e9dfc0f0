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
const queueNames = Object.keys(taskQueues) as QueueName[];

export interface WorkerSettings {
  server: Pick<TemporalServer, 'connectionOptions' | 'namespace'>;
  /** The folder of runs, created on demand, or `s3://bucket/prefix`. */
  runsDir: string;
  /**
   * Paths and s3:// addresses that run files may name inputs at or below, in addition to the current
   * folder, the package, `runsDir` and ANNEAL_ALLOW_PATHS.
   */
  allowPaths?: readonly string[];
  /** Task queues to serve; all of them by default. */
  queues?: readonly QueueName[];
  /** Identities of dead workers that this one replaces; it retries their activities at once. */
  inPlaceOf?: readonly string[];
}

/** What a worker serves beyond Anneal's own workflows, activities and rewards. */
export interface WorkerAdditions {
  /** Served on the queue of the workflows, under names that Anneal does not use. */
  activities?: AddedActivities;
  /** A module that exports your workflows and Anneal's, bundled instead of only Anneal's. */
  workflowsPath?: string;
  /** Rewards that score every completion, in addition to those of the run file. */
  rewards?: readonly Reward[];
}

interface WorkerHooks {
  signal?: AbortSignal;
  /** Called once the workers take work. */
  onReady?: () => void;
}

/**
 * Serve task queues until `signal` aborts, then finish or hand back the current activities.
 * @throws the error of a worker that fails, after the others have ended
 */
export async function runWorker(
  { server, runsDir, allowPaths, queues = queueNames, inPlaceOf = [] }: WorkerSettings,
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
  // If this fails, the server misses their heartbeats seconds later.
  handBack(server, inPlaceOf).catch((error) =>
    console.warn('could not retry the activities of dead workers:', error),
  );
  const connection = await NativeConnection.connect(server.connectionOptions);
  try {
    const all = createActivities({
      runsDir: resolveAddress(runsDir),
      allowPaths,
      models,
      rewards,
    });
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

/** Run workers until one ends for any reason; that ends the others too. */
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

/** Concurrent activities per queue in one process. */
const slots: Record<QueueName, number> = {
  workflows: 4,
  /** One device: the model process does one job at a time; the next one waits here. */
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
    // The server notices a killed worker by its last heartbeat, so send them often.
    maxHeartbeatThrottleInterval: '1 second',
    defaultHeartbeatThrottleInterval: '1 second',
    // If a worker is gone, its workflow tasks soon go to another.
    stickyQueueScheduleToStartTimeout: '2 seconds',
    shutdownGraceTime: '2 seconds',
    shutdownForceTime: '20 seconds',
  };
}

async function workflowsOf(keys: PayloadKeys, workflowsPath?: string) {
  if (workflowsPath !== undefined) return { workflowsPath };
  return { workflowBundle: await workflowBundle({ encodeFailures: keys.size > 0 }) };
}
