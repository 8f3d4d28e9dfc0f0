// Rules for critical issues, most important first. Less urgent problems are in warnings.ts, their
// reasons in causes.ts.

import { fixed, moved, settingValue, share, signedPercent } from '../../format.ts';
import {
  changeOf,
  comparableChange,
  type Facts,
  fell,
  isConservative,
  isDrifting,
  isPhased,
  numberOf,
  passedBetterAt,
  rewardChange,
  rose,
  samplingNoise,
} from '../epoch-facts.ts';
import type { Rule } from '../findings.ts';
import { collapsedDiversity, missingShare, weakRewardRatio } from '../thresholds.ts';

/** Rules in the order in which the page shows them. */
export const issueRules: readonly Rule[] = [
  {
    name: 'reward-declining',
    check(facts) {
      const change = rewardChange(facts);
      if (!fell(change)) return;
      const where = change.heldOut ? ', on held-out prompts' : '';
      return {
        title: `${change.heldOut ? 'Held-out ' : ''}Average Reward Declining`,
        details: [`**${epochs(facts)}**: ${moved(change)}${where}`, ...readingOf(facts)],
        remedies: isConservative(facts) && !isPhased(facts) ? ['temperature'] : [],
      };
    },
  },
  {
    name: 'held-out-declining',
    check(facts) {
      const samples = comparableChange(facts, 'reward');
      const heldOut = changeOf(facts, 'eval/reward');
      if (!samples || fell(samples) || !fell(heldOut)) return;
      return {
        title: 'Held-out Reward Declining',
        details: [
          `**Held-out**: ${moved(heldOut)}, while the epoch's own samples do not: ${moved(samples)}`,
          'The gain does not generalise: the policy memorises its prompts or exploits the reward',
          'Read samples with high reward before you continue; more prompts per epoch help against memorising',
        ],
        remedies: ['strengthen-kl'],
      };
    },
  },
  {
    name: 'reward-hacking',
    check(facts) {
      const best = passedBetterAt(facts);
      if (!best) return;
      const line = (metric: 'eval/reward' | 'eval/pass_rate', text: typeof share) =>
        `${text(numberOf(best, metric))} → ${text(numberOf(facts.after, metric))}`;
      return {
        title: 'Reward Hacking: Reward Rises While Tests Fail',
        details: [
          `Since epoch ${best.epoch}: **held-out reward** ${line('eval/reward', fixed)}, **held-out pass rate** ${line('eval/pass_rate', share)}`,
          `The policy learns what its teacher likes rather than what is correct: go back to epoch ${best.epoch}, and give the tests more weight in the reward`,
          'Read the samples with the highest reward (`anneal rollouts`): what they share is what the teacher overrates',
        ],
        remedies: ['strengthen-kl'],
      };
    },
  },
  {
    name: 'gap-widening',
    check(facts) {
      const gap = comparableChange(facts, 'gap');
      if (!rose(gap) || gap.after <= facts.success.gap) return;
      return {
        title: 'Best-of-N vs Average Gap Widening',
        details: [
          `**Best-of-N**: ${fixed(numberOf(facts.after, 'best_of_n_reward'))}, **average**: ${fixed(numberOf(facts.after, 'reward'))}`,
          `**Gap**: ${moved(gap)}; target under ${fixed(facts.success.gap, 2)}`,
          '**Implication**: the policy can write good programs but rarely does: it lacks **consistency**, not peak performance',
        ],
        remedies: ['reward-threshold', 'best-of-n'],
      };
    },
  },
  {
    name: 'reward-weight-balance',
    check(facts) {
      const { reward_weight, kl_penalty } = facts.settings.rlaif;
      const drowned = kl_penalty > 0 && reward_weight / kl_penalty < weakRewardRatio;
      if (!drowned || !isConservative(facts)) return;
      return {
        title: 'Reward-Weight Balance Issue',
        details: [
          `\`reward_weight: ${settingValue('reward_weight', reward_weight)}\` against \`kl_penalty: ${kl_penalty}\``,
          'The KL penalty may outweigh the reward: raise the weight or lower the penalty',
        ],
        remedies: ['rebalance'],
      };
    },
  },
  {
    name: 'kl-drifting',
    check(facts) {
      if (!isDrifting(facts)) return;
      const change = changeOf(facts, 'kl');
      const kl = change ? moved(change) : fixed(numberOf(facts.after, 'kl'));
      return {
        title: 'KL Running Away',
        details: [
          `**KL to the reference**: ${kl} nats per token`,
          'The policy moves away from its base model faster than the reward justifies; fluency degrades first, then reward',
        ],
        remedies: ['strengthen-kl', 'lower-learning-rate'],
      };
    },
  },
  {
    name: 'diversity-collapsed',
    check(facts) {
      const unique = numberOf(facts.after, 'diversity');
      if (unique === undefined || unique >= collapsedDiversity) return;
      return {
        title: 'Diversity Collapsed',
        details: [
          `${share(unique)} of a prompt's samples are unique (threshold ${share(collapsedDiversity)})`,
          'Equal samples have equal rewards, so there is nothing to compare and nothing to learn',
        ],
        remedies: ['strengthen-kl', 'temperature'],
      };
    },
  },
  {
    name: 'nothing-trained',
    check({ after, settings }) {
      if (!after.samples || after.samples_trained !== 0) return;
      const { reward_threshold } = settings.rlaif;
      return {
        title: 'No Sample Was Trained On',
        details: [
          `The filter left 0 of ${after.samples} samples (reward_threshold: ${reward_threshold}); the policy is unchanged`,
        ],
        remedies: reward_threshold === null ? ['more-samples'] : ['relax-threshold'],
      };
    },
  },
  {
    name: 'scores-missing',
    check({ after }) {
      const missing = (after.samples_missing ?? 0) / (after.samples || 1);
      if (missing <= missingShare.critical) return;
      return {
        title: 'Scores Missing',
        details: [
          `${after.samples_missing} of ${after.samples} samples (${share(missing)}) have no score; the averages cover only the rest`,
          'Check the failures that the rewards report in the samples before you continue',
        ],
      };
    },
  },
];

function epochs({ before, after }: Facts): string {
  return `E${before?.epoch} → E${after.epoch}`;
}

/** What accompanies the falling reward, and whether the fall is more than chance. */
function readingOf(facts: Facts): string[] {
  const loss = comparableChange(facts, 'loss');
  const percent = loss?.percent;
  const lossChange = percent == null ? '' : ` (${signedPercent(percent)})`;
  return [
    ...(isConservative(facts)
      ? [
          `Loss falls${lossChange} while reward falls: the policy is becoming **too conservative**`,
          'It fits its own samples and stays near the reference policy instead of moving towards higher reward',
        ]
      : []),
    ...(rose(loss)
      ? [
          `Loss rises${lossChange} as well: the updates themselves go wrong, not only their direction`,
        ]
      : []),
    ...noiseCaution(facts),
  ];
}

function noiseCaution(facts: Facts): string[] {
  const change = rewardChange(facts);
  const noise = samplingNoise(facts);
  if (!change || change.heldOut || noise === undefined || Math.abs(change.delta) > noise) return [];
  return [
    `**Caution**: with ${facts.after.samples} samples per epoch, a change up to ±${fixed(noise)} can be chance (two standard errors); look at the next epoch too`,
  ];
}
