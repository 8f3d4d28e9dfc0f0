// Decides, in one place, what an error means to Temporal: whether another attempt can help, and
// under which name a workflow sees it.

import {
  ApplicationFailure,
  ApplicationFailureCategory,
  CancelledFailure,
} from '@temporalio/common';
import { LruMap } from '../collections/lru-map.ts';
import { AnnealError, type ErrorKind, permanentKinds, storeFailure } from '../errors.ts';

/**
 * Kinds that end an activity at once. A damaged artifact is not mended by reading it again: the
 * epoch that made it makes it again.
 */
const finalKinds: readonly ErrorKind[] = [...permanentKinds, 'DamagedArtifact'];

/**
 * How often an activity may fail by one kind before that is final. What takes the model process
 * down each time lies in the work, such as a prompt that the engine dies of; a store is waited for
 * as long as the workflow's own limit (workflows/activities.ts) allows.
 */
const limits: Partial<Record<ErrorKind, number>> = {
  ProcessLost: 5,
  ProcessStalled: 3,
  OutOfMemory: 3,
  StoreUnavailable: Number.POSITIVE_INFINITY,
};
const otherLimit = 100;

/** Counts, on this worker, how often an activity failed by a kind of error. */
export interface FailureCount {
  /** @returns how often by now. */
  add(kind: string): number;
}

/**
 * What an activity throws instead of `error`: the reason of its cancellation where it was
 * cancelled, a failure that is tried again at once where its worker leaves, a failure named by its
 * kind for an AnnealError, and anything else as it is, to be tried again. What has failed too often
 * is final.
 */
export function toFailure(thrown: unknown, signal: AbortSignal, count?: FailureCount): unknown {
  if (signal.aborted) return isLeaving(signal.reason) ? handedBack() : signal.reason;
  const error = storeFailure(thrown);
  const kind = error instanceof AnnealError ? error.kind : undefined;
  const times = count?.add(kind ?? 'Error') ?? 1;
  const exhausted = times >= ((kind && limits[kind]) ?? otherLimit);
  if (!kind && !exhausted) return error;
  const { message, name, cause } = error instanceof Error ? error : new Error(String(error));
  const said = shortened(message, messageBytes);
  const failure = ApplicationFailure.create({
    message: exhausted ? `${said} It failed like this ${times} times.` : said,
    type: kind ?? name,
    nonRetryable: exhausted || finalKinds.includes(kind!),
    // By it the run tells whose work the file is (workflows/failures.ts).
    ...(error instanceof AnnealError && error.path && { details: [error.path] }),
    ...(cause instanceof Error && { cause: inBrief(cause) }),
  });
  return withoutStack(failure);
}

/**
 * Of a failure that is larger than 4 KiB the server keeps nothing that people can read
 * (limit.mutableStateActivityFailureSize.error), so the message has to fit with all around it.
 */
const messageBytes = 2500;
const causeBytes = 500;

/** Beginning and end: what it is about, and what to do. */
function shortened(text: string, most: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= most) return text;
  return `${bytes.subarray(0, most / 2)} … ${bytes.subarray(-most / 2)}`;
}

function inBrief({ name, message }: Error): Error {
  const brief = new Error(shortened(message, causeBytes));
  brief.name = name;
  return withoutStack(brief);
}

/** The kind and the words say where an expected error comes from. */
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
