// Which activities the workers of each task queue serve.

import { taskQueues } from '../workflows/messages.ts';
import type { Activities } from './contract.ts';

/** All activities, by the name of their task queue. */
export function activitiesByQueue(all: Activities): Record<string, Partial<Activities>> {
  const { generate, score, train, ...light } = all;
  return {
    [taskQueues.workflows]: light,
    [taskQueues.generate]: { generate },
    [taskQueues.score]: { score },
    [taskQueues.train]: { train },
  };
}
