// `anneal-rl/workflows`: the workflows, to export beside your own from the module that a worker
// bundles, and to start as children. Safe inside Temporal's workflow sandbox.

export { taskQueues } from '../activities/task-queues.ts';
export * from '../workflows/index.ts';
export {
  type Adjustment,
  adjustUpdate,
  pauseUpdate,
  type RunResult,
  type RunStatus,
  resumeUpdate,
  statusQuery,
  stopUpdate,
} from '../workflows/messages.ts';
