// What a worker's activities depend on.

import { ApplicationFailure } from '@temporalio/common';
import { joinAddress, resolveAddress } from '../artifacts/address.ts';
import { openStore } from '../artifacts/open-store.ts';
import type { Store } from '../artifacts/store.ts';
import { allowedByEnvironment, InputRoots } from '../config/input-roots.ts';
import { packageRoot } from '../config/paths.ts';
import { runSchema } from '../config/schema/run.ts';
import type { Reward } from '../rewards/reward.ts';
import type { ModelService } from '../rl/model-service.ts';

export interface Dependencies {
  /** The folder of runs: an absolute path or `s3://bucket/prefix`. */
  runsDir: string;
  models: ModelService;
  /**
   * Paths and s3:// addresses that run files may name inputs at or below, in addition to the current
   * folder, the package, `runsDir` and ANNEAL_ALLOW_PATHS.
   */
  allowPaths?: readonly string[] | undefined;
  /** The worker's own rewards, in addition to those of the run file. */
  rewards?: readonly Reward[] | undefined;
}

/** Where inputs of runs may be. */
export function inputRootsOf({ runsDir, allowPaths = [] }: Dependencies): InputRoots {
  const named = [...allowPaths, ...allowedByEnvironment()].map(resolveAddress);
  return new InputRoots([process.cwd(), packageRoot, runsDir, ...named]);
}

/**
 * The files of a run.
 * @throws ApplicationFailure, not retried, for a name that would lead out of the folder of runs:
 * names come from workflow ids and inputs
 */
export function storeOf({ runsDir }: Dependencies, run: string): Store {
  if (!runSchema.shape.name.safeParse(run).success)
    throw ApplicationFailure.nonRetryable(
      `expected a workflow id of at most 255 letters, digits, dots, hyphens and underscores, since it names the run's folder; found '${run}'`,
      'InvalidConfig',
    );
  return openStore(joinAddress(runsDir, run));
}
