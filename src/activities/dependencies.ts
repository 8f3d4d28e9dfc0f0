// What a worker's activities depend on.

import { joinAddress, resolveAddress } from '../artifacts/address.ts';
import { openStore } from '../artifacts/open-store.ts';
import type { Store } from '../artifacts/store.ts';
import { allowedByEnvironment, InputRoots } from '../config/input-roots.ts';
import { packageRoot } from '../config/paths.ts';
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

/** The files of a run. */
export function storeOf({ runsDir }: Dependencies, run: string): Store {
  return openStore(joinAddress(runsDir, run));
}
