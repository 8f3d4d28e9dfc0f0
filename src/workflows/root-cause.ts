// Why a workflow did not complete, in plain words: the failures that Temporal wraps around a cause say
// only that something failed.

import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  TerminatedFailure,
  TimeoutFailure,
  type TimeoutType,
} from '@temporalio/common';

const timeouts: Record<NonNullable<TimeoutType>, string> = {
  START_TO_CLOSE: 'it ran longer than its time limit',
  SCHEDULE_TO_CLOSE: 'it was not done within its time limit, retries included',
  SCHEDULE_TO_START: 'no worker took it within its time limit',
  HEARTBEAT: 'its worker gave no sign of life',
};

/** The message of the application's own failure, or what happened to which activity or workflow. */
export function rootCause(error: unknown): string {
  const subject = subjectOf(error);
  if (subject === null) return describe(error);
  const { cause } = error as Error;
  const isNamed = cause instanceof ApplicationFailure || subjectOf(cause) !== null;
  return isNamed ? rootCause(cause) : `${subject}: ${describe(cause)}`;
}

function subjectOf(error: unknown): string | null {
  if (error instanceof ActivityFailure) return `activity '${error.activityType}'`;
  if (error instanceof ChildWorkflowFailure) return `workflow '${error.execution.workflowId}'`;
  return null;
}

function describe(error: unknown): string {
  if (error instanceof TimeoutFailure) return timeouts[error.timeoutType ?? 'START_TO_CLOSE'];
  if (error instanceof CancelledFailure) return 'it was cancelled on request';
  if (error instanceof TerminatedFailure) {
    const isGiven = !/^(terminated|Workflow execution terminated)?$/.test(error.message);
    return `it was terminated${isGiven ? `: ${error.message}` : ', without a reason'}`;
  }
  if (!(error instanceof Error)) return 'no reason was given';
  const kind = error instanceof ApplicationFailure ? error.type : error.name;
  return error.message || `a ${kind ?? 'failure'} without a message`;
}
