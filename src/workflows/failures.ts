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
    cause: error as Error,
  });
}

const remakes = 2;

/**
 * Run `make`, and run it again where a file that it had written before was found gone or changed:
 * everything it makes is a function of its inputs. Damage that comes back is in the inputs.
 * @param tell told each time what was damaged.
 */
export async function remakingDamaged<T>(
  make: () => Promise<T>,
  tell: (problem: string) => void,
): Promise<T> {
  for (let left = remakes; ; left--) {
    try {
      return await make();
    } catch (error) {
      const failure = plainFailure(error);
      if (left === 0 || !isDamage(failure)) throw failure;
      log.warn('making damaged files again', { problem: failure.message });
      tell(failure.message);
    }
  }
}

function isDamage(failure: unknown): failure is ApplicationFailure {
  const kind: ErrorKind = 'DamagedArtifact';
  return failure instanceof ApplicationFailure && failure.type === kind;
}
