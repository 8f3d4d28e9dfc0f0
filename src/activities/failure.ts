// Decides, in one place, what an error means to Temporal: whether another attempt can help, and
// under which name a workflow sees it.

import {
  ApplicationFailure,
  ApplicationFailureCategory,
  CancelledFailure,
} from '@temporalio/common';
import { AnnealError, type ErrorKind, permanentKinds } from '../errors.ts';

/**
 * Kinds that end an activity at once. A damaged artifact is not mended by reading it again: the
 * epoch that made it makes it again.
 */
const finalKinds: readonly ErrorKind[] = [...permanentKinds, 'DamagedArtifact'];

/**
 * What an activity throws instead of `error`: the reason of its cancellation where it was
 * cancelled, a failure that is tried again at once where its worker leaves, a failure named by its
 * kind for an AnnealError, and anything else as it is, to be tried again.
 */
export function toFailure(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return isLeaving(signal.reason) ? handedBack() : signal.reason;
  if (!(error instanceof AnnealError)) return error;
  return ApplicationFailure.create({
    message: error.message,
    type: error.kind,
    nonRetryable: finalKinds.includes(error.kind),
    cause: error,
  });
}

/** The SDK's word for a cancellation that nobody asked for: the worker is shutting down. */
function isLeaving(reason: unknown): boolean {
  return reason instanceof CancelledFailure && reason.message === 'WORKER_SHUTDOWN';
}

/** The server would not take a cancellation from a worker, and would wait for missing heartbeats. */
function handedBack(): ApplicationFailure {
  return ApplicationFailure.create({
    message: 'the worker is shutting down and hands the activity back',
    type: 'WorkerShutdown',
    nextRetryDelay: '10 ms',
    category: ApplicationFailureCategory.BENIGN,
  });
}
