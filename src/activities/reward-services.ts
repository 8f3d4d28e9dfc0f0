// What rewards may call on, out of what the activities have.

import type { RewardServices } from '../rewards/reward.ts';
import type { DeviceSettings, ModelService } from '../rl/model-service.ts';

/** Reward models run in the model process, on the run's own engine settings. */
export function rewardServices(models: ModelService, engine: DeviceSettings): RewardServices {
  return {
    models: {
      scores: (scoring, options) => models.scores({ kind: 'score', engine, ...scoring }, options),
    },
  };
}
