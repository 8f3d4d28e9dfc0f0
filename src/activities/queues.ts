// Which activities the workers of each task queue serve.

import type { Activities } from './contract.ts';
import type { RewardModelActivities } from './reward-model-contract.ts';
import { taskQueues } from './task-queues.ts';

/** Those of a reward model's training all belong to the queue of training. */
type AllActivities = Activities & Partial<RewardModelActivities>;

/** All activities, by the name of their task queue. */
export function activitiesByQueue(all: AllActivities): Record<string, Partial<AllActivities>> {
  const { generate, score, train, ...others } = all;
  const { prepare, checkChange, filter, evaluate, analyze, prune, ...models } = others;
  return {
    [taskQueues.workflows]: { prepare, checkChange, filter, evaluate, analyze, prune },
    [taskQueues.generate]: { generate },
    [taskQueues.score]: { score },
    [taskQueues.train]: { train, ...models },
  };
}
