// Activities that a worker adds to Anneal's.

import { taskQueues } from '../activities/task-queues.ts';
import { AnnealError } from '../errors.ts';

export type AddedActivities = Record<string, (...args: never[]) => Promise<unknown>>;

/**
 * Anneal's activities by task queue, with `added` on the queue of the workflows.
 * @throws AnnealError InvalidConfig if one has a name that Anneal uses
 */
export function withAdded(
  byQueue: Readonly<Record<string, object>>,
  added: AddedActivities = {},
): Record<string, object> {
  const names = new Set(Object.values(byQueue).flatMap(Object.keys));
  const taken = Object.keys(added).find((name) => names.has(name));
  if (taken !== undefined)
    throw new AnnealError(
      'InvalidConfig',
      `activities: expected names that Anneal does not use, found '${taken}'; rename it`,
    );
  return { ...byQueue, [taskQueues.workflows]: { ...byQueue[taskQueues.workflows], ...added } };
}
