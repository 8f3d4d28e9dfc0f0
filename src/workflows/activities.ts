// The activities as workflows call them: task queue, time limits and retries.

import { type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/contract.ts';
import type { RewardModelActivities } from '../activities/reward-model/contract.ts';
import { taskQueues } from '../activities/task-queues.ts';

/**
 * Missing heartbeats reveal a lost worker, so the time limit is for an activity that hangs while its
 * heartbeats continue. An activity itself decides which failures are final (activities/failure.ts);
 * the retries last about a day, enough to fix a full disk or a missing mount.
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
  // Histories have this activity under its original name.
  pairVerdicts: makePreferencePairs,
  trainRewardModel,
  evaluateRewardModel,
  publishRewardModel,
} = proxyActivities<RewardModelActivities>({ ...everywhere, taskQueue: taskQueues.train });
