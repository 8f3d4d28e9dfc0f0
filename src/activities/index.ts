// The activities of a worker, grouped by the task queue that asks for them.

import { taskQueues } from '../workflows/messages.ts';
import { analyzeWith } from './analyze.ts';
import type { Activities } from './contract.ts';
import type { Dependencies } from './dependencies.ts';
import { evaluateWith } from './evaluate.ts';
import { filterWith } from './filter.ts';
import { generateWith } from './generate.ts';
import { prepareWith } from './prepare.ts';
import { scoreWith } from './score.ts';
import { checkChangeWith } from './settings-check.ts';
import { trainWith } from './train.ts';

export type { Activities } from './contract.ts';
export type { Dependencies } from './dependencies.ts';

/** All activities over the given dependencies. */
export function createActivities(dependencies: Dependencies): Activities {
  return {
    prepare: prepareWith(dependencies),
    checkChange: checkChangeWith(dependencies),
    generate: generateWith(dependencies),
    score: scoreWith(dependencies),
    filter: filterWith(dependencies),
    train: trainWith(dependencies),
    evaluate: evaluateWith(dependencies),
    analyze: analyzeWith(dependencies),
  };
}

/** The activities that a worker of each task queue serves. */
export function activitiesByQueue(all: Activities): Record<string, Partial<Activities>> {
  const { generate, score, train, ...light } = all;
  return {
    [taskQueues.workflows]: light,
    [taskQueues.generate]: { generate },
    [taskQueues.score]: { score },
    [taskQueues.train]: { train },
  };
}
