// What the activities of a worker are built on.

import { join } from 'node:path';
import { sharedFolder } from '../artifacts/layout.ts';
import { createLocalStore } from '../artifacts/local-store.ts';
import { createSharedFiles } from '../artifacts/shared-files.ts';
import type { Store } from '../artifacts/store.ts';
import type { RewardServices } from '../rewards/reward.ts';
import type { ModelService } from '../rl/model-service.ts';

export interface Dependencies {
  /** Absolute path of the folder that holds the runs' folders. */
  runsDir: string;
  models: ModelService;
}

/** What rewards are built on; `resumes` as in ScoreInput. */
export function rewardServicesOf(
  { runsDir }: Dependencies,
  run: string,
  resumes = 0,
): RewardServices {
  return { shared: createSharedFiles(sharedFolder(runsDir)), run, resumes };
}

/** The files of a run. */
export function storeOf({ runsDir }: Dependencies, run: string): Store {
  return createLocalStore(join(runsDir, run));
}
