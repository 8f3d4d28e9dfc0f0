// A reward of your own in a run file (own-reward.yaml): shorter programs score higher. In a project
// of yours, the type comes from 'anneal-rl/rewards'.

import type { RewardFunction } from '../src/exports/rewards.ts';

const longest = 400;

const score: RewardFunction = (items) =>
  items.map(({ program }) => ({
    score: Math.max(0, 1 - program.length / longest),
    note: `${program.length} characters`,
  }));

export default score;
