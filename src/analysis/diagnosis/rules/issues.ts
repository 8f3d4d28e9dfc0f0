// Rules for what goes wrong with the reward: critical issues, in order of weight. What goes wrong
// with the policy or the data is warnings.ts; why it does is causes.ts.

import { fixed, moved, settingValue, share, signedPercent } from '../../pages/format.ts';
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
          'What is learned does not carry over: the policy learns its prompts, or a way around the reward',
          'Read samples with high reward before training on; more prompts an epoch help against the former',
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
          `The policy learns what its teacher likes and not what is right: go back to epoch ${best.epoch}, and give the tests weight among the rewards`,
          'Read the samples of highest reward (`anneal rollouts`): what they have in common is what the teacher overrates',
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
          '**Implication**: good programs are within reach, most samples miss them: what lacks is **consistency**, not peak performance',
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
          `\`reward_weight: ${settingValue('reward_weight', reward_weight)}\` stands against \`kl_penalty: ${kl_penalty}\``,
          'The KL penalty may drown the reward: raise the one or lower the other',
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
          `**KL to the reference**: ${kl} nats a token`,
          'The policy leaves the model that it came from faster than its reward can justify; fluency goes first, reward follows',
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
          `${share(unique)} of a prompt's samples are unique (line at ${share(collapsedDiversity)})`,
          'Equal samples have equal rewards: nothing is left to compare, and nothing to learn from',
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
          `The filter left 0 of ${after.samples} samples (reward_threshold: ${reward_threshold}); the policy is that of the epoch before`,
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
          `${after.samples_missing} of ${after.samples} samples (${share(missing)}) have no score; the averages speak for the rest alone`,
          'See what the rewards report as failure in the samples before training on',
        ],
      };
    },
  },
];

function epochs({ before, after }: Facts): string {
  return `E${before?.epoch} → E${after.epoch}`;
}

/** What the falling reward goes along with, and whether it is more than chance. */
function readingOf(facts: Facts): string[] {
  const loss = comparableChange(facts, 'loss');
  const percent = loss?.percent;
  const lossWord = percent == null ? '' : ` (${signedPercent(percent)})`;
  return [
    ...(isConservative(facts)
      ? [
          `Loss falls${lossWord} while reward falls: the policy is becoming **too conservative**`,
          'It fits its own samples and stays near the reference policy, and does not move to what is rewarded',
        ]
      : []),
    ...(rose(loss)
      ? [`Loss rises${lossWord} as well: the update itself is off, not only its aim`]
      : []),
    ...noiseCaution(facts),
  ];
}

function noiseCaution(facts: Facts): string[] {
  const change = rewardChange(facts);
  const noise = samplingNoise(facts);
  if (!change || change.heldOut || noise === undefined || Math.abs(change.delta) > noise) return [];
  return [
    `**Caution**: with ${facts.after.samples} samples an epoch a change up to ±${fixed(noise)} is chance (two standard errors); look at the next epoch, too`,
  ];
}
