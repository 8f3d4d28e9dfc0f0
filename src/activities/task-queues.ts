// The task queues, and what their activities report while they run. Workflows and clients import
// this file, so it depends on nothing.

/** Task queues; each worker process serves one of them or all. */
export const taskQueues = {
  workflows: 'anneal',
  generate: 'anneal-generate',
  score: 'anneal-score',
  train: 'anneal-train',
} as const;

/** Heartbeat details of a long activity; clients read them from pending activities. */
export interface HeartbeatDetails {
  stage: 'generate' | 'score' | 'train' | 'evaluate';
  done: number;
  total: number;
  unit: string;
  note?: string;
}
