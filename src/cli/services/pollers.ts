// Finds out whether workers serve the task queues, so that `anneal run` need not start its own.

import { hostname } from 'node:os';
import type { Client } from '@temporalio/client';
import { taskQueues } from '../../activities/task-queues.ts';

/** TASK_QUEUE_TYPE_WORKFLOW and TASK_QUEUE_TYPE_ACTIVITY. */
const queueTypes = [
  { taskQueue: taskQueues.workflows, taskQueueType: 1 },
  { taskQueue: taskQueues.generate, taskQueueType: 2 },
  { taskQueue: taskQueues.score, taskQueueType: 2 },
  { taskQueue: taskQueues.train, taskQueueType: 2 },
] as const;

/** Longer than a poll lasts: a worker that has not polled for this long is gone. */
const freshMs = 70_000;

/** Whether each task queue has a live worker, according to the server. */
export async function areQueuesServed(client: Client): Promise<boolean> {
  const { namespace } = client.options;
  const answers = await Promise.all(
    queueTypes.map(({ taskQueue, taskQueueType }) =>
      client.workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name: taskQueue },
        taskQueueType,
      }),
    ),
  );
  return answers.every(({ pollers }) =>
    (pollers ?? []).some(({ identity, lastAccessTime }) =>
      isAlive(identity ?? '', Number(lastAccessTime?.seconds ?? 0) * 1000),
    ),
  );
}

/**
 * The server remembers a worker for minutes after it ends. A worker of this machine, named
 * `pid@host`, is looked up by its process id; one elsewhere counts if it polled recently.
 */
export function isAlive(identity: string, lastAccessMs: number, nowMs = Date.now()): boolean {
  if (nowMs - lastAccessMs > freshMs) return false;
  const [pid, host] = identity.split('@');
  if (host !== hostname()) return true;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
