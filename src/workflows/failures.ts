// What workflows make of the failures of their activities and children.

import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  isCancellation,
  log,
} from '@temporalio/workflow';
import type { ErrorKind } from '../errors.ts';

/**
 * The failure that people should read: the application's own, with its message and kind, out of
 * the wrappers that say which activity or child it came through. Anything else stays as it is.
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

const remakes = 2;

/**
 * Run `make`, and run it again where a file was found gone or changed that `mend` has made again,
 * or that `make` makes itself: everything it makes is a function of its inputs.
 * @param tell told each time what was damaged.
 * @param mend given the file's path, where the failure names it. @returns whether another time can
 * help; without `mend` it may.
 */
export async function remakingDamaged<T>(
  make: () => Promise<T>,
  tell: (problem: string) => void,
  mend: (path: string | undefined) => boolean | Promise<boolean> = () => true,
): Promise<T> {
  for (let left = remakes; ; left--) {
    try {
      return await make();
    } catch (error) {
      const failure = plainFailure(error);
      if (left === 0 || !isDamage(failure) || !(await mend(damagedPath(failure)))) throw failure;
      log.warn('making damaged files again', { problem: failure.message });
      tell(failure.message);
    }
  }
}

/** The path is the one detail of a failure that is about a file. */
function damagedPath({ details }: ApplicationFailure): string | undefined {
  const [path] = details ?? [];
  return typeof path === 'string' ? path : undefined;
}

/** Whether a path is that of a file, or of a folder or something in it. */
export function isPartOf(path: string | undefined, { path: whole }: { path: string }): boolean {
  return path === whole || path?.startsWith(`${whole}/`) === true;
}

export function isDamage(failure: unknown): failure is ApplicationFailure {
  const kind: ErrorKind = 'DamagedArtifact';
  return failure instanceof ApplicationFailure && failure.type === kind;
}
