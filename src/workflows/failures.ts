// Failures of activities and child workflows, as workflows handle them.

import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  isCancellation,
  log,
} from '@temporalio/workflow';
import type { ErrorKind } from '../errors.ts';

/**
 * The failure that users should read: the application's own, with its message and kind, without the
 * wrappers that name the activity or child it came through. Anything else is returned unchanged.
 */
export function plainFailure(error: unknown): unknown {
  if (isCancellation(error)) return error;
  const cause =
    error instanceof ActivityFailure || error instanceof ChildWorkflowFailure
      ? error.cause
      : undefined;
  if (cause instanceof ChildWorkflowFailure || cause instanceof ActivityFailure)
    return plainFailure(cause);
  if (!(cause instanceof ApplicationFailure)) return error;
  return ApplicationFailure.create({
    message: cause.message,
    type: cause.type ?? 'Error',
    nonRetryable: true,
    details: cause.details ?? [],
    cause: error as Error,
  });
}

const reruns = 2;

/**
 * Run `work`, and rerun it if it finds a file missing or changed. A rerun repairs the files that
 * `work` writes itself, because they depend on its inputs only; `repair` is for all others.
 * @param report receives each problem.
 * @param repair receives the file's path if the failure names one. @returns whether to rerun
 */
export async function rerunAfterDamage<T>(
  work: () => Promise<T>,
  report: (problem: string) => void,
  repair: (path: string | undefined) => boolean | Promise<boolean> = () => true,
): Promise<T> {
  for (let left = reruns; ; left--) {
    try {
      return await work();
    } catch (error) {
      const failure = plainFailure(error);
      if (left === 0 || !isDamage(failure) || !(await repair(damagedPath(failure)))) throw failure;
      log.warn('rerunning because of a damaged file', { problem: failure.message });
      report(failure.message);
    }
  }
}

/** A failure about a file has the path as its only detail. */
function damagedPath({ details }: ApplicationFailure): string | undefined {
  const [path] = details ?? [];
  return typeof path === 'string' ? path : undefined;
}

/** Whether a path is the given file or folder, or lies in that folder. */
export function isPartOf(path: string | undefined, { path: whole }: { path: string }): boolean {
  return path === whole || path?.startsWith(`${whole}/`) === true;
}

export function isDamage(failure: unknown): failure is ApplicationFailure {
  const kind: ErrorKind = 'DamagedArtifact';
  return failure instanceof ApplicationFailure && failure.type === kind;
}
