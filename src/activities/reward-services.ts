// The services that activities provide to rewards.

import { sharedFolder } from '../artifacts/layout.ts';
import { openSharedFiles } from '../artifacts/open-store.ts';
import type { DeviceSettings } from '../engine/inference/jobs.ts';
import type { RewardServices } from '../rewards/reward.ts';
import type { ModelService } from '../rl/model-service.ts';

/** The run that rewards are computed for; `resumes` as in ScoreInput. */
interface Account {
  runsDir: string;
  run: string;
  resumes?: number | undefined;
}

/**
 * Reward models run in the model process with the run's engine settings. Judges share verdicts,
 * limits and accounts with all workers on the same folder of runs.
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
