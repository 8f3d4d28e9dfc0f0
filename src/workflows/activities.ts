// The activities as the workflows call them: on which queue, for how long, and how often again.

import { type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/contract.ts';
import type { RewardModelActivities } from '../activities/reward-model-contract.ts';
import { taskQueues } from '../activities/task-queues.ts';

/**
 * A worker that vanishes is noticed by its missing heartbeats, so the time limit is for what hangs
 * while its heart beats. What is bound to fail again, or has failed too often, says so itself
 * (activities/failure.ts); a full disk or a missing mount has a day to be put right.
 */
const everywhere: ActivityOptions = {
  startToCloseTimeout: '24 hours',
  heartbeatTimeout: '10 seconds',
  retry: {
    initialInterval: '1 second',
    backoffCoefficient: 2,
    maximumInterval: '20 seconds',
    maximumAttempts: 4500,
  },
};

export const { prepare, checkChange, filter, evaluate, analyze, prune } = proxyActivities<
  Pick<Activities, 'prepare' | 'checkChange' | 'filter' | 'evaluate' | 'analyze' | 'prune'>
>({ ...everywhere, taskQueue: taskQueues.workflows });

export const { generate } = proxyActivities<Pick<Activities, 'generate'>>({
  ...everywhere,
  taskQueue: taskQueues.generate,
});

export const { score } = proxyActivities<Pick<Activities, 'score'>>({
  ...everywhere,
  taskQueue: taskQueues.score,
});

export const { train } = proxyActivities<Pick<Activities, 'train'>>({
  ...everywhere,
  taskQueue: taskQueues.train,
});

export const {
  prepareRewardModel,
  // Histories know this activity by its first name.
  pairVerdicts: makePreferencePairs,
  trainRewardModel,
  evaluateRewardModel,
  publishRewardModel,
} = proxyActivities<RewardModelActivities>({ ...everywhere, taskQueue: taskQueues.train });
