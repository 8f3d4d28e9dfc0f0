// `anneal-rl/activities`: run a worker of your own. `runWorker` serves Anneal's task queues and what
// you add; `createActivities` and `activitiesByQueue` are for a worker that you set up yourself.

export type { Activities } from '../activities/contract.ts';
export type { Dependencies } from '../activities/dependencies.ts';
export { createActivities } from '../activities/index.ts';
export type { RewardModelActivities } from '../activities/reward-model/contract.ts';
export { activitiesByQueue, taskQueues } from '../activities/task-queues.ts';
export { createModelClient } from '../rl/model-client.ts';
export { dataConverter } from '../workers/payloads/data-converter.ts';
export {
  type QueueName,
  runWorker,
  type WorkerAdditions,
  type WorkerSettings,
} from '../workers/worker.ts';
export { workflowBundle } from '../workers/workflow-bundle.ts';
