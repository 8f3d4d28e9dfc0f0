// Hands a dead worker's activities to others at once. Its supervisor knows that it died; the server
// would first have to miss its heartbeats.

import { hostname } from 'node:os';
import { ActivityNotFoundError, type Client, type FullActivityId } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import proto from '@temporalio/proto';
import { taskQueues } from '../activities/task-queues.ts';
import { connect, type TemporalServer } from './server/connect.ts';

const { PENDING_ACTIVITY_STATE_STARTED } = proto.temporal.api.enums.v1.PendingActivityState;

/** The worker identity of a process on this machine. */
export const identityOf = (pid: number) => `${pid}@${hostname()}`;

/**
 * Retry every activity that dead workers hold.
 * @param dead their identities.
 * @throws the connection's error if the server does not answer
 */
export async function handBack(
  server: Pick<TemporalServer, 'connectionOptions' | 'namespace'>,
  dead: readonly string[],
): Promise<void> {
  if (dead.length === 0) return;
  const client = await connect(server);
  try {
    const query = `ExecutionStatus = 'Running' AND TaskQueue = '${taskQueues.workflows}'`;
    for await (const { workflowId, runId } of client.workflow.list({ query })) {
      const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
      for (const { activityId, state, lastWorkerIdentity: worker } of raw.pendingActivities ?? [])
        if (state === PENDING_ACTIVITY_STATE_STARTED && worker && dead.includes(worker))
          await fail(client, { workflowId, runId, activityId: activityId! }, worker);
    }
  } finally {
    await client.connection.close();
  }
}

async function fail(client: Client, activity: FullActivityId, worker: string): Promise<void> {
  try {
    await client.activity.fail(activity, lost(worker));
  } catch (error) {
    // It has ended in the meantime.
    if (!(error instanceof ActivityNotFoundError)) throw error;
  }
}

function lost(worker: string): ApplicationFailure {
  return ApplicationFailure.create({
    message: `the worker ${worker} died`,
    type: 'WorkerLost',
    nextRetryDelay: '10 ms',
  });
}
