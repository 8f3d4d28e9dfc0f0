// The activities of a reward model's training, and of its refits within a run.

import type { Dependencies } from '../dependencies.ts';
import type { RewardModelActivities } from './contract.ts';
import { evaluateRewardModelWith } from './evaluate.ts';
import { makePreferencePairsWith } from './make-pairs.ts';
import { prepareRewardModelWith } from './prepare.ts';
import { publishRewardModelWith } from './publish.ts';
import { trainRewardModelWith } from './train.ts';

/** These activities over the given dependencies. */
export function rewardModelActivitiesWith(dependencies: Dependencies): RewardModelActivities {
  return {
    prepareRewardModel: prepareRewardModelWith(dependencies),
    pairVerdicts: makePreferencePairsWith(dependencies),
    trainRewardModel: trainRewardModelWith(dependencies),
    evaluateRewardModel: evaluateRewardModelWith(dependencies),
    publishRewardModel: publishRewardModelWith(dependencies),
  };
}
