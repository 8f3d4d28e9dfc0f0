// `anneal-rl/rewards`: score completions with the built-in rewards and with rewards of your own,
// which are objects with the `Reward` interface.

export { rubricSchema } from '../config/schema/rewards/rubric.ts';
export { type Prompt, promptSchema } from '../records/prompts.ts';
export type { Score } from '../records/rollouts.ts';
export { createRewards } from '../rewards/kinds.ts';
export type { RewardFunction, RewardItem, RewardScore } from '../rewards/own/own-reward.ts';
export { readPrompts } from '../rewards/prompts.ts';
export type {
  CriterionResult,
  Reward,
  RewardServices,
  ScoreItem,
  ScoreOptions,
  ScoreProgress,
} from '../rewards/reward.ts';
export { createRubric } from '../rewards/rubric/rubric.ts';
export { scoreCompletions } from '../rewards/score-completions.ts';
