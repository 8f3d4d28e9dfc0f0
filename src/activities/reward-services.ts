// What rewards may call on, out of what the activities have.

import { sharedFolder } from '../artifacts/layout.ts';
import { openSharedFiles } from '../artifacts/open-store.ts';
import type { DeviceSettings } from '../engine/inference/jobs.ts';
import type { RewardServices } from '../rewards/reward.ts';
import type { ModelService } from '../rl/model-service.ts';

/** On whose account rewards are computed; `resumes` as in ScoreInput. */
interface Account {
  runsDir: string;
  run: string;
  resumes?: number | undefined;
}

/**
 * Reward models run in the model process, on the run's own engine settings; judges share what
 * they know and may with all workers on the folder of runs.
 */
export function rewardServices(
  models: ModelService,
  engine: DeviceSettings,
  { runsDir, run, resumes = 0 }: Account,
): RewardServices {
  return {
    models: {
      scores: (scoring, options) => models.scores({ engine, ...scoring }, options),
    },
    shared: openSharedFiles(sharedFolder(runsDir)),
    run,
    resumes,
  };
}
