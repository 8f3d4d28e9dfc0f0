// The list of rewards: one schema for each kind. Other layers ask reward-traits.ts about a kind;
// rewards/kinds.ts has the rewards themselves.

import { z } from 'zod';
import { judgeSchema } from './rewards/judge.ts';
import { commandRewardSchema, functionRewardSchema, httpRewardSchema } from './rewards/own.ts';
import { rewardModelSchema } from './rewards/reward-model.ts';
import { rubricSchema } from './rewards/rubric.ts';

/** One entry of the declared list of rewards. */
export const rewardSchema = z.discriminatedUnion('kind', [
  rubricSchema,
  rewardModelSchema,
  judgeSchema,
  functionRewardSchema,
  httpRewardSchema,
  commandRewardSchema,
]);

export type RewardConfig = z.output<typeof rewardSchema>;
