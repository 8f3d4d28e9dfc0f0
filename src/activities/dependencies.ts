// What a worker's activities depend on.

import { joinAddress } from '../artifacts/address.ts';
import { openStore } from '../artifacts/open-store.ts';
import type { Store } from '../artifacts/store.ts';
import type { Reward } from '../rewards/reward.ts';
import type { ModelService } from '../rl/model-service.ts';

export interface Dependencies {
  /** The folder of runs: an absolute path or `s3://bucket/prefix`. */
  runsDir: string;
  models: ModelService;
  /** The worker's own rewards, in addition to those of the run file. */
  rewards?: readonly Reward[] | undefined;
}

/** The files of a run. */
export function storeOf({ runsDir }: Dependencies, run: string): Store {
  return openStore(joinAddress(runsDir, run));
}
