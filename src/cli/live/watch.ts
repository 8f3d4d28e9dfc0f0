// Follows a run to its end, second by second. Servers and workers may go away meanwhile: the
// watcher says so and goes on asking.

import { setTimeout as delay } from 'node:timers/promises';
import {
  type Client,
  isGrpcServiceError,
  ServiceError,
  type WorkflowExecutionStatusName,
} from '@temporalio/client';
import type { RunConfig } from '../../config/schema/run.ts';
import type { Display } from './display.ts';
import { describeRun, type Execution, isOpen, observeRun, workflowTaskProblem } from './observe.ts';
import type { Observation } from './view.ts';

const intervalMs = 1000;

export interface WatchOptions {
  client: Client;
  run: string;
  config: RunConfig | null;
  display: Display;
  /** Aborting ends the watch, not the run. */
  signal: AbortSignal;
}

/** How the run ended. @throws the signal's reason where it aborts. */
export async function watchRun(options: WatchOptions): Promise<WorkflowExecutionStatusName> {
  const { client, run, display, signal } = options;
  let last: Observation | null = null;
  for (;;) {
    const execution = await orNull(() => describeRun(client, run));
    signal.throwIfAborted();
    last = execution ? await look(options, last) : away(last);
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

async function look(
  { client, run, config }: WatchOptions,
  last: Observation | null,
): Promise<Observation | null> {
  const seen = await orNull(() => observeRun(client, run, config));
  if (seen) return seen;
  const problem = await orNull(() => workflowTaskProblem(client, run));
  const notice = problem ?? 'no worker answers; the run waits for one';
  return last && { ...last, stages: [], notice };
}

function away(last: Observation | null): Observation | null {
  return (
    last && {
      ...last,
      stages: [],
      notice: 'the Temporal server does not answer; the run goes on when it is back',
    }
  );
}

/** A call that the service did not answer is null: the next may succeed. */
async function orNull<T>(look: () => Promise<T>): Promise<T | null> {
  try {
    return await look();
  } catch (error) {
    if (isServiceError(error)) return null;
    throw error;
  }
}

/** Whether the server did not answer, as opposed to having refused. */
export function isServiceError(error: unknown): error is Error {
  const cause = error instanceof Error ? error.cause : undefined;
  return error instanceof ServiceError || isGrpcServiceError(error) || isGrpcServiceError(cause);
}
