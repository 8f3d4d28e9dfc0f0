// `anneal-rl`: write and check run files, start runs, watch and steer them. Needs a Temporal server
// and a worker (`anneal worker`, or your own: `anneal-rl/activities`).

export { taskQueues } from '../activities/task-queues.ts';
export {
  describeRun,
  type Execution,
  type Observation,
  observeRun,
  queryStatus,
} from '../client/run-state.ts';
export { startRun } from '../client/start-run.ts';
export { type LoadOptions, loadRunFile, resolveConfig } from '../config/load.ts';
export { type RunConfig, type RunFile, runSchema } from '../config/schema/run.ts';
export { AnnealError } from '../errors.ts';
export type { EpochMetrics } from '../records/metrics.ts';
export { connect, type TemporalServer } from '../workers/server/connect.ts';
export { type OpenOptions, openServer } from '../workers/server/open-server.ts';
export {
  type Adjustment,
  adjustUpdate,
  epochWorkflowId,
  pauseUpdate,
  type RunResult,
  type RunStatus,
  resumeUpdate,
  statusQuery,
  stopUpdate,
} from '../workflows/messages.ts';
