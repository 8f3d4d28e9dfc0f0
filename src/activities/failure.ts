// Decides in one place what an error means to Temporal: whether a retry can help, and the type by
// which workflows recognise it.

import {
  ApplicationFailure,
  ApplicationFailureCategory,
  CancelledFailure,
} from '@temporalio/common';
import { LruMap } from '../collections/lru-map.ts';
import {
  AnnealError,
  type ErrorKind,
  permanentKinds,
  storeFailure,
  withoutExcerpt,
} from '../errors.ts';

/**
 * Kinds that are not retried. Reading a damaged artifact again does not repair it; the workflow
 * reruns the epoch that made it.
 */
const finalKinds: readonly ErrorKind[] = [...permanentKinds, 'DamagedArtifact'];

/**
 * How many failures of a kind make the last one final. If the model process dies each time, the cause
 * is in the work, such as a prompt that crashes the engine. A store is retried as long as the
 * workflow allows (workflows/activities.ts).
 */
const limits: Partial<Record<ErrorKind, number>> = {
  ProcessLost: 5,
  ProcessStalled: 3,
  OutOfMemory: 3,
  StoreUnavailable: Number.POSITIVE_INFINITY,
};
const otherLimit = 100;

/** Counts an activity's failures by kind, on this worker. */
export interface FailureCount {
  /** @returns the count so far, this failure included */
  add(kind: string): number;
}

/**
 * What an activity throws instead of `thrown`. If it was cancelled: the reason, or for a worker that
 * shuts down a failure that is retried at once. For an AnnealError: a failure of its kind. Anything
 * else is thrown unchanged and retried. Too many failures of a kind make the last one final.
 */
export function toFailure(thrown: unknown, signal: AbortSignal, count?: FailureCount): unknown {
  if (signal.aborted) return isShutdown(signal.reason) ? handBack() : signal.reason;
  const error = storeFailure(thrown);
  const kind = error instanceof AnnealError ? error.kind : undefined;
  const times = count?.add(kind ?? 'Error') ?? 1;
  const exhausted = times >= ((kind && limits[kind]) ?? otherLimit);
  const { message, name, cause } = error instanceof Error ? error : new Error(String(error));
  const shown = withoutExcerpt(message);
  if (!kind && !exhausted && shown === message) return error;
  const text = shortened(shown, messageBytes);
  const failure = ApplicationFailure.create({
    message: exhausted ? `${text} It failed like this ${times} times.` : text,
    type: kind ?? name,
    nonRetryable: exhausted || finalKinds.includes(kind!),
    // The workflow needs the path to know what to rerun (workflows/failures.ts).
    ...(error instanceof AnnealError && error.path && { details: [error.path] }),
    ...(cause instanceof Error && { cause: inBrief(cause) }),
  });
  return withoutStack(failure);
}

/**
 * Failures over 4 KiB are truncated by the server (limit.mutableStateActivityFailureSize.error) and
 * become useless, so message and cause together must be shorter.
 */
const messageBytes = 2500;
const causeBytes = 500;

/** Keep beginning and end: the subject, and what to do. */
function shortened(text: string, most: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= most) return text;
  return `${bytes.subarray(0, most / 2)} … ${bytes.subarray(-most / 2)}`;
}

function inBrief({ name, message }: Error): Error {
  const brief = new Error(shortened(withoutExcerpt(message), causeBytes));
  brief.name = name;
  return withoutStack(brief);
}

/** The kind and the message of an expected error suffice. */
function withoutStack<E extends Error>(error: E): E {
  error.stack = '';
  return error;
}

const countedActivities = 1000;
const counts = new LruMap<string, Map<string, number>>(countedActivities);

/** The failure count of an activity; `key` is the same for all of its attempts. */
export function failuresOf(key: string): FailureCount {
  return {
    add(kind) {
      const own = counts.get(key) ?? new Map<string, number>();
      counts.set(key, own);
      own.set(kind, (own.get(kind) ?? 0) + 1);
      return own.get(kind)!;
    },
  };
}

/** Whether a cancellation was caused by the worker shutting down. */
function isShutdown(reason: unknown): boolean {
  return reason instanceof CancelledFailure && reason.message === 'WORKER_SHUTDOWN';
}

/**
 * The server does not accept a cancellation that nobody requested; it would wait until heartbeats
 * are missing.
 */
function handBack(): ApplicationFailure {
  return ApplicationFailure.create({
    message: 'the worker is shutting down and hands the activity back',
    type: 'WorkerShutdown',
    nextRetryDelay: '10 ms',
    category: ApplicationFailureCategory.BENIGN,
  });
}
