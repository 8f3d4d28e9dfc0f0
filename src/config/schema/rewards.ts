// The list of rewards: one schema a kind.

import { z } from 'zod';
import { judgeSchema } from './judge-reward.ts';
import { rewardModelSchema } from './reward-model-reward.ts';
import { rubricSchema } from './rubric-reward.ts';

/** One entry of the declared list of rewards. */
export const rewardSchema = z.discriminatedUnion('kind', [
  rubricSchema,
  rewardModelSchema,
  judgeSchema,
]);

export type RewardConfig = z.output<typeof rewardSchema>;
