// A reward of your own. The worker adds it to the rewards of every run file, so that a sample's
// reward is the weighted mean of them all.

import type { Reward } from 'anneal-rl/rewards';

/** Characters at which a program scores 0. */
const longest = 400;

/** 1 for an empty program, 0 for one of 400 characters or more. */
export const brevity: Reward = {
  name: 'brevity',
  weight: 0.25,
  score: async (items) =>
    items.map(({ completion }) => ({
      value: Math.max(0, 1 - completion.length / longest),
      criteria: {},
    })),
};
