// Rules for what works.

import { arrow, fixed, moved, share } from '../../format.ts';
import {
  changeOf,
  comparableChange,
  fell,
  isDrifting,
  isStable,
  numberOf,
  rewardChange,
  rose,
} from '../epoch-facts.ts';
import type { Rule } from '../findings.ts';
import { collapsedDiversity } from '../thresholds.ts';

/** Rules in the order in which the page shows them. */
export const strengthRules: readonly Rule[] = [
  {
    name: 'reward-rising',
    check(facts) {
      const change = rewardChange(facts);
      if (!rose(change)) return;
      const where = change.heldOut ? 'Held-out Average Reward' : 'Average Reward';
      return { title: `${where} Rising`, details: [moved(change)] };
    },
  },
  {
    name: 'loss-falling',
    check(facts) {
      const change = comparableChange(facts, 'loss');
      if (!fell(change)) return;
      const reading = rose(rewardChange(facts))
        ? 'The policy fits its rewarded samples better, and reward rises with it'
        : 'Training is stable; the reward shows whether it also helps';
      return { title: 'Loss is Decreasing', details: [moved(change), reading] };
    },
  },
  {
    name: 'best-of-n-rising',
    check(facts) {
      const change = comparableChange(facts, 'best_of_n_reward');
      if (!rose(change)) return;
      const details = [moved(change), 'The policy is capable of good programs'];
      return { title: 'Best-of-N Reward Improving', details };
    },
  },
  {
    name: 'variance-falling',
    check(facts) {
      const change = comparableChange(facts, 'reward_variance');
      if (!fell(change)) return;
      const details = [arrow(change.before, change.after), 'Rewards within an epoch differ less'];
      return { title: 'Lower Variance', details };
    },
  },
  {
    name: 'diversity-maintained',
    check(facts) {
      const unique = numberOf(facts.after, 'diversity');
      const change = comparableChange(facts, 'diversity');
      if (unique === undefined || unique < collapsedDiversity) return;
      if (change && change.delta < 0 && !isStable(change)) return;
      const details = [`${share(unique)} unique samples: no mode collapse`];
      return { title: 'Code Diversity Maintained', details };
    },
  },
  {
    name: 'gap-narrowing',
    check(facts) {
      const change = comparableChange(facts, 'gap');
      if (!fell(change) || fell(rewardChange(facts))) return;
      const details = [moved(change), 'The average sample is closer to the best one'];
      return { title: 'Best-of-N vs Average Gap Narrowing', details };
    },
  },
  {
    name: 'held-out-rising',
    check(facts) {
      const change = changeOf(facts, 'eval/reward');
      if (!rose(change) || rewardChange(facts)?.heldOut) return;
      const details = [moved(change), 'The gain generalises to prompts that are not trained on'];
      return { title: 'Held-out Reward Rising', details };
    },
  },
  {
    name: 'kl-controlled',
    check(facts) {
      const kl = numberOf(facts.after, 'kl');
      if (kl === undefined || isDrifting(facts)) return;
      return {
        title: 'KL Under Control',
        details: [`${fixed(kl)} nats per token to the reference`],
      };
    },
  },
];
