// Rules for why the reward falls, which apply only if it does. Each names the suspected setting and
// the remedies that follow.

import { algorithmTraits } from '../../../config/algorithm-traits.ts';
import { fixed, settingValue, share } from '../../format.ts';
import {
  changeOf,
  comparableChange,
  type Facts,
  fell,
  isConservative,
  numberOf,
  rewardChange,
} from '../epoch-facts.ts';
import type { Rule } from '../findings.ts';
import { raisedLearningRate } from '../learning-rate.ts';
import { lowKlPenalty, strongRewardWeight, unstableLossPercent } from '../thresholds.ts';

/** Rules in the order in which the page shows them. */
export const causeRules: readonly Rule[] = [
  {
    name: 'kl-penalty-too-high',
    check(facts) {
      const { kl_penalty } = facts.settings.rlaif;
      if (!isConservative(facts) || kl_penalty <= lowKlPenalty) return;
      return {
        title: `KL Penalty Too High (${kl_penalty})`,
        details: [
          'It pulls every update back to the reference policy, so new patterns are not learned',
          'The loss still falls, because staying near the reference is part of it',
          ...measuredKl(facts),
        ],
        remedies: ['rebalance'],
      };
    },
  },
  {
    name: 'reward-signal-too-weak',
    check(facts) {
      const { reward_weight, kl_penalty } = facts.settings.rlaif;
      if (!isConservative(facts) || reward_weight >= strongRewardWeight) return;
      return {
        title: 'Reward Signal Too Weak',
        details: [
          `\`reward_weight: ${settingValue('reward_weight', reward_weight)}\` may not be strong enough against \`kl_penalty: ${kl_penalty}\``,
          'The KL term outweighs the policy gradient: under AdamW only the ratio of the two matters',
        ],
        remedies: ['rebalance'],
      };
    },
  },
  {
    name: 'learning-rate-too-low',
    check(facts) {
      const { learning_rate } = facts.settings.training;
      if (!isConservative(facts) || raisedLearningRate(facts) === undefined) return;
      return {
        title: `Learning Rate May Be Too Low (${settingValue('learning_rate', learning_rate)})`,
        details: ['Training is stable but slow: a larger step is possible'],
        remedies: ['raise-learning-rate'],
      };
    },
  },
  {
    name: 'steps-too-large',
    check(facts) {
      const loss = comparableChange(facts, 'loss');
      if (!fell(rewardChange(facts)) || (loss?.percent ?? 0) < unstableLossPercent) return;
      const { learning_rate } = facts.settings.training;
      return {
        title: `Learning Rate May Be Too High (${settingValue('learning_rate', learning_rate)})`,
        details: ['Reward falls and loss rises: updates overshoot', ...gradientNorm(facts)],
        remedies: ['lower-learning-rate'],
      };
    },
  },
  {
    name: 'no-reward-filter',
    check(facts) {
      const { reward_threshold, best_of_n_training, algorithm } = facts.settings.rlaif;
      if (!fell(rewardChange(facts)) || reward_threshold !== null || best_of_n_training) return;
      const effect = algorithmTraits[algorithm].groupRelative
        ? `\`${algorithm}\` already pushes samples below their group's mean away, so a filter has less effect here`
        : 'Rewards are never negative here, so even a bad sample becomes slightly more likely';
      return {
        title: 'No Reward Filtering',
        details: [
          ...lowRewardShare(facts),
          'Every sample is trained on, even those with very low reward',
          effect,
        ],
        remedies: ['reward-threshold', 'best-of-n'],
      };
    },
  },
];

function measuredKl(facts: Facts): string[] {
  const kl = numberOf(facts.after, 'kl');
  const loss = numberOf(facts.after, 'loss');
  if (kl === undefined) return [];
  const term = facts.settings.rlaif.kl_penalty * kl;
  const part = loss === undefined ? '' : ` of a loss of ${fixed(loss)}`;
  return [`Measured: KL ${fixed(kl)} nats per token, a term of ${fixed(term)}${part}`];
}

function gradientNorm(facts: Facts): string[] {
  const norm = numberOf(facts.after, 'grad_norm');
  if (norm === undefined) return [];
  const before = changeOf(facts, 'grad_norm')?.before;
  const was = before === undefined ? '' : `, ${fixed(before, 2)} in the epoch before`;
  return [
    `Gradient norm ${fixed(norm, 2)}${was} (clipped at ${facts.settings.training.max_grad_norm})`,
  ];
}

function lowRewardShare({ after }: Facts): string[] {
  const bins = after.reward_histogram;
  return bins?.length === 10
    ? [`${share(bins[0]! + bins[1]!)} of samples have a reward under 0.2`]
    : [];
}
