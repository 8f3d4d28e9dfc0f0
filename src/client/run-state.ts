// Asks the server for the state of a run: its execution, its own status, and the pending activities
// of the epoch in progress.

import {
  type Client,
  type WorkflowExecutionDescription,
  type WorkflowExecutionStatusName,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import {
  decodeArrayFromPayloads,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { HeartbeatDetails } from '../activities/contract.ts';
import type { RunConfig } from '../config/schema/run.ts';
import {
  type EndState,
  type ExperimentOutcome,
  type RunStatus,
  statusQuery,
} from '../workflows/messages.ts';
import { rootCause } from '../workflows/root-cause.ts';
import { type PendingActivity, type StageProgress, stagesOf } from './stage-progress.ts';

/** What the server knows about a workflow without asking it. */
export interface Execution {
  /** The workflow's type, such as `trainingRun`. */
  type: string;
  state: WorkflowExecutionStatusName;
  startTime: Date;
  closeTime: Date | null;
}

/** The state of a run at one moment. */
export interface Observation {
  status: RunStatus;
  stages: StageProgress[];
  /** Why no more is known, such as a server that does not answer. */
  notice: string | null;
}

const callTimeoutMs = 5000;
/** The number of latest events that are searched for a failed workflow task. */
const latestEvents = 20;

/** The execution with that id; null if the server knows none. */
export async function describeRun(client: Client, run: string): Promise<Execution | null> {
  const description = await describe(client, run);
  if (!description) return null;
  const { type, status, startTime, closeTime } = description;
  return { type, state: status.name, startTime, closeTime: closeTime ?? null };
}

/** Whether the workflow has not ended. */
export function isOpen(state: WorkflowExecutionStatusName): boolean {
  return state === 'RUNNING' || state === 'CONTINUED_AS_NEW' || state === 'PAUSED';
}

/** Ids of the runs that have not ended, from the server's list, which lags behind. */
export async function openRuns(client: Client): Promise<string[]> {
  const query = "WorkflowType = 'trainingRun' AND ExecutionStatus = 'Running'";
  const ids: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
  return ids;
}

/** How a run ended, and why if it did not complete. */
export interface RunEnd {
  state: EndState;
  failure?: string;
}

/** How the run ended, in the server's words; null if it has not. */
export async function endOf(
  client: Client,
  run: string,
  execution: Execution | null,
): Promise<RunEnd | null> {
  if (execution === null || isOpen(execution.state)) return null;
  const state = execution.state.toLowerCase() as EndState;
  if (state === 'completed') return { state };
  return { state, failure: await failureOf(client, run) };
}

/** How the runs of an experiment ended; null if it has not completed, or is none. */
export async function outcomesOf(
  client: Client,
  experiment: string,
  { type, state }: Execution,
): Promise<ExperimentOutcome[] | null> {
  if (type !== 'experiment' || state !== 'COMPLETED') return null;
  return withLimit(client, () => client.workflow.getHandle(experiment).result());
}

async function failureOf(client: Client, run: string): Promise<string> {
  try {
    await withLimit(client, () => client.workflow.getHandle(run).result());
    return 'it completed a moment ago';
  } catch (error) {
    if (error instanceof WorkflowFailedError) return rootCause(error.cause);
    throw error;
  }
}

/** The run's own status. Only a worker can answer. */
export function queryStatus(client: Client, run: string): Promise<RunStatus> {
  return withLimit(client, () => client.workflow.getHandle(run).query(statusQuery));
}

/** The run's status, with its stages in progress. */
export async function observeRun(
  client: Client,
  run: string,
  config: RunConfig | null,
): Promise<Observation> {
  const own = await queryStatus(client, run);
  const status = { ...own, ...(await endOf(client, run, await describeRun(client, run))) };
  const epoch = await describe(client, status.epochWorkflowId ?? run);
  const infos = epoch?.raw.pendingActivities ?? [];
  const pending = await Promise.all(infos.map((info) => toPending(client, info)));
  const current = status.epochWorkflowId === null ? null : status.epoch;
  const notice = await workflowTaskProblem(client, status.epochWorkflowId ?? run);
  return { status, stages: stagesOf(pending, config, current), notice };
}

/** Why no worker can continue a workflow, such as a version mismatch; null if its tasks succeed. */
export async function workflowTaskProblem(
  client: Client,
  workflowId: string,
): Promise<string | null> {
  const description = await describe(client, workflowId);
  if ((description?.raw.pendingWorkflowTask?.attempt ?? 1) <= 1) return null;
  const { namespace } = client.options;
  const { history } = await withLimit(client, () =>
    client.workflowService.getWorkflowExecutionHistoryReverse({
      namespace,
      execution: { workflowId, runId: description!.runId },
      maximumPageSize: latestEvents,
    }),
  );
  const failures = history?.events?.map((event) => event.workflowTaskFailedEventAttributes) ?? [];
  const why = failures.find((failed) => failed)?.failure?.message;
  return (
    `no worker can continue ${workflowId}: ${why ?? 'its workflow task fails'}. ` +
    'Start workers of the version that started the run.'
  );
}

async function describe(
  client: Client,
  workflowId: string,
): Promise<WorkflowExecutionDescription | null> {
  try {
    return await withLimit(client, () => client.workflow.getHandle(workflowId).describe());
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

function withLimit<T>(client: Client, call: () => Promise<T>): Promise<T> {
  return client.withDeadline(Date.now() + callTimeoutMs, call);
}

type PendingActivityInfo = NonNullable<
  WorkflowExecutionDescription['raw']['pendingActivities']
>[number];

/** PENDING_ACTIVITY_STATE_SCHEDULED: no worker has started it. */
const scheduled = 1;

async function toPending(client: Client, info: PendingActivityInfo): Promise<PendingActivity> {
  const { loadedDataConverter } = client.options;
  const [heartbeat] = await decodeArrayFromPayloads(
    loadedDataConverter,
    info.heartbeatDetails?.payloads,
  );
  const failure = await decodeOptionalFailureToOptionalError(loadedDataConverter, info.lastFailure);
  const workedMs = toMs(info.lastHeartbeatTime) - toMs(info.lastStartedTime);
  return {
    type: info.activityType?.name ?? '',
    started: info.state !== scheduled,
    attempt: info.attempt ?? 1,
    // Details outlive their attempt, and only those of this attempt are progress.
    heartbeat: workedMs >= 0 ? ((heartbeat as HeartbeatDetails | undefined) ?? null) : null,
    workedMs,
    lastFailure: failure?.message ?? null,
  };
}

function toMs(time: PendingActivityInfo['lastHeartbeatTime']): number {
  return time ? Number(time.seconds ?? 0) * 1000 + (time.nanos ?? 0) / 1e6 : 0;
}
