// The task queues, and which activities each serves. Workflows and clients import this file, so it
// imports only types.

import type { Activities } from './contract.ts';
import type { RewardModelActivities } from './reward-model/contract.ts';

/** Each worker process serves one task queue or all of them. */
export const taskQueues = {
  workflows: 'anneal',
  generate: 'anneal-generate',
  score: 'anneal-score',
  train: 'anneal-train',
} as const;

type AllActivities = Activities & Partial<RewardModelActivities>;

/** All activities, by the name of their task queue. */
export function activitiesByQueue(all: AllActivities): Record<string, Partial<AllActivities>> {
  const { generate, score, train, ...others } = all;
  const { prepare, checkChange, filter, evaluate, analyze, prune, ...rewardModel } = others;
  return {
    [taskQueues.workflows]: { prepare, checkChange, filter, evaluate, analyze, prune },
    [taskQueues.generate]: { generate },
    [taskQueues.score]: { score },
    [taskQueues.train]: { train, ...rewardModel },
  };
}
