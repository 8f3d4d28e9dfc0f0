// Watches a run until it ends. If the server or the workers stop answering, it shows a notice and
// keeps asking.

import { setTimeout as delay } from 'node:timers/promises';
import {
  type Client,
  isGrpcServiceError,
  ServiceError,
  type WorkflowExecutionStatusName,
} from '@temporalio/client';
import {
  describeRun,
  type Execution,
  isOpen,
  type Observation,
  observeRun,
  workflowTaskProblem,
} from '../../client/run-state.ts';
import type { RunConfig } from '../../config/schema/run.ts';
import type { Display } from './run-display.ts';

const intervalMs = 1000;

export interface WatchOptions {
  client: Client;
  run: string;
  config: RunConfig | null;
  display: Display;
  /** Stops watching, not the run. */
  signal: AbortSignal;
}

/** @returns how the run ended. @throws the signal's reason if it aborts. */
export async function watchRun(options: WatchOptions): Promise<WorkflowExecutionStatusName> {
  const { client, run, display, signal } = options;
  let last: Observation | null = null;
  for (;;) {
    const execution = await orNull(() => describeRun(client, run));
    signal.throwIfAborted();
    last = execution ? await observe(options, last) : serverAway(last);
    if (last) display.show(last, elapsedMs(execution));
    const ended = execution !== null && !isOpen(execution.state);
    if (ended) return execution.state;
    await delay(intervalMs, undefined, { signal });
  }
}

function elapsedMs(execution: Execution | null): number {
  if (!execution) return 0;
  return Math.max(0, (execution.closeTime ?? new Date()).getTime() - execution.startTime.getTime());
}

async function observe(
  { client, run, config }: WatchOptions,
  last: Observation | null,
): Promise<Observation | null> {
  const observation = await orNull(() => observeRun(client, run, config));
  if (observation) return observation;
  const problem = await orNull(() => workflowTaskProblem(client, run));
  const notice = problem ?? 'no worker answers; the run is waiting for one';
  return last && { ...last, stages: [], notice };
}

function serverAway(last: Observation | null): Observation | null {
  return (
    last && {
      ...last,
      stages: [],
      notice: 'the Temporal server does not answer; the run resumes when it is back',
    }
  );
}

/** Null if the service did not answer: the next call may succeed. */
async function orNull<T>(call: () => Promise<T>): Promise<T | null> {
  try {
    return await call();
  } catch (error) {
    if (isServiceError(error)) return null;
    throw error;
  }
}

/** Whether the server did not answer, or could not. */
export function isServiceError(error: unknown): error is Error {
  const cause = error instanceof Error ? error.cause : undefined;
  return error instanceof ServiceError || isGrpcServiceError(error) || isGrpcServiceError(cause);
}
