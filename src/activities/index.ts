// All activities of a worker. task-queues.ts assigns them to queues.

import { analyzeWith } from './analyze.ts';
import type { Activities } from './contract.ts';
import type { Dependencies } from './dependencies.ts';
import { evaluateWith } from './evaluate.ts';
import { filterWith } from './filter.ts';
import { generateWith } from './generate.ts';
import { prepareWith } from './prepare/index.ts';
import { pruneWith } from './prune.ts';
import type { RewardModelActivities } from './reward-model/contract.ts';
import { rewardModelActivitiesWith } from './reward-model/index.ts';
import { scoreWith } from './score.ts';
import { checkChangeWith } from './settings-check.ts';
import { trainWith } from './train.ts';

/** All activities over the given dependencies. */
export function createActivities(dependencies: Dependencies): Activities & RewardModelActivities {
  return {
    prepare: prepareWith(dependencies),
    checkChange: checkChangeWith(dependencies),
    generate: generateWith(dependencies),
    score: scoreWith(dependencies),
    filter: filterWith(dependencies),
    train: trainWith(dependencies),
    evaluate: evaluateWith(dependencies),
    analyze: analyzeWith(dependencies),
    prune: pruneWith(dependencies),
    ...rewardModelActivitiesWith(dependencies),
  };
}
