// The list of rewards: one schema for each kind. reward-traits.ts has what other layers ask about a
// kind, rewards/kinds.ts what scores.

import { z } from 'zod';
import { judgeSchema } from './rewards/judge.ts';
import { rewardModelSchema } from './rewards/reward-model.ts';
import { rubricSchema } from './rewards/rubric.ts';

/** One entry of the declared list of rewards. */
export const rewardSchema = z.discriminatedUnion('kind', [
  rubricSchema,
  rewardModelSchema,
  judgeSchema,
]);

export type RewardConfig = z.output<typeof rewardSchema>;
