// Rules for what to watch before it becomes critical: noise, wasted samples, stalling, early
// collapse, and metrics that are not comparable.

import { fixed, moved, settingValue, share } from '../../format.ts';
import { judgesOf } from '../../metrics/judge-summary.ts';
import {
  changeOf,
  comparableChange,
  type Facts,
  fell,
  numberOf,
  passedBetterAt,
  rewardChange,
  rose,
  samplingNoise,
} from '../epoch-facts.ts';
import type { Rule } from '../findings.ts';
import {
  clippedShare,
  collapsedEntropy,
  collapsingEntropy,
  constantShare,
  missingShare,
  stalledEpochs,
  steadyJudge,
} from '../thresholds.ts';

/** Rules in the order in which the page shows them. */
export const warningRules: readonly Rule[] = [
  {
    name: 'not-comparable',
    check(facts) {
      if (facts.comparable) return;
      const was = facts.before?.settings?.rlaif?.generation_temperature;
      const is = facts.settings.rlaif.generation_temperature;
      const [from, to] = [was, is].map((value) => settingValue('generation_temperature', value));
      return {
        title: 'Sampling Temperature Changed',
        details: [
          `${from} → ${to}: rewards of the epoch's own samples are not comparable across this change; the held-out rows are`,
        ],
      };
    },
  },
  {
    name: 'gap-above-target',
    check(facts) {
      const gap = numberOf(facts.after, 'gap');
      const { gap: target } = facts.success;
      if (gap === undefined || gap <= target || rose(comparableChange(facts, 'gap'))) return;
      return {
        title: 'Best-of-N vs Average Gap Above Target',
        details: [
          `${fixed(gap)}, target under ${fixed(target, 2)}: samples of one prompt still differ a lot`,
        ],
      };
    },
  },
  {
    name: 'gain-within-noise',
    check(facts) {
      const [change, noise] = [rewardChange(facts), samplingNoise(facts)];
      if (!rose(change) || change.heldOut || noise === undefined || change.delta > noise) return;
      return {
        title: 'Gain Within Chance',
        details: [
          `${moved(change)}: with ${facts.after.samples} samples per epoch, up to ±${fixed(noise)} can be chance (two standard errors)`,
        ],
      };
    },
  },
  {
    name: 'stalled',
    check(facts) {
      const recent = recentRewards(facts);
      const best = Math.max(...recent.slice(1));
      if (recent.length <= stalledEpochs || best > recent[0]!) return;
      if (recent.at(-1)! >= facts.success.average_reward || fell(rewardChange(facts))) return;
      return {
        title: 'Reward Stalled',
        details: [
          `No better average in ${stalledEpochs} epochs: ${recent.map((r) => fixed(r)).join(' → ')}`,
        ],
        remedies: ['raise-learning-rate', 'temperature'],
      };
    },
  },
  {
    name: 'variance-rising',
    check(facts) {
      const change = comparableChange(facts, 'reward_variance');
      if (!rose(change) || rose(rewardChange(facts))) return;
      if (change.after <= facts.success.reward_variance) return;
      return {
        title: 'Reward Variance Rising',
        details: [`${moved(change)}, but the average does not rise: rewards are more scattered`],
      };
    },
  },
  {
    name: 'entropy-collapsing',
    check(facts) {
      const entropy = numberOf(facts.after, 'entropy');
      if (entropy === undefined) return;
      const change = comparableChange(facts, 'entropy');
      const falling = change !== undefined && change.after < collapsingEntropy * change.before;
      if (!falling && entropy >= collapsedEntropy) return;
      return {
        title: 'Entropy Collapsing',
        details: [
          `${change ? moved(change) : fixed(entropy)} nats per token: the policy settles on few continuations, which ends exploration`,
        ],
        remedies: ['strengthen-kl', 'temperature'],
      };
    },
  },
  {
    name: 'completions-clipped',
    check(facts) {
      const clipped = numberOf(facts.after, 'completions/clipped_ratio');
      if (clipped === undefined || clipped <= clippedShare) return;
      const { max_new_tokens } = facts.settings.rlaif;
      return {
        title: 'Completions Cut Off',
        details: [
          `${share(clipped)} reach max_new_tokens (${max_new_tokens}): an unfinished program scores low however good it is`,
        ],
        remedies: ['longer-completions'],
      };
    },
  },
  {
    name: 'groups-constant',
    check(facts) {
      const constant = numberOf(facts.after, 'frac_reward_zero_std');
      if (constant === undefined || constant <= constantShare) return;
      return {
        title: 'Most Groups Constant',
        details: [
          `${share(constant)} of groups have a single reward value: no sample is better than another, so nothing is learned from them`,
        ],
        remedies: ['more-samples', 'temperature'],
      };
    },
  },
  {
    name: 'scores-missing-some',
    check({ after }) {
      const missing = (after.samples_missing ?? 0) / (after.samples || 1);
      if (missing <= missingShare.noted || missing > missingShare.critical) return;
      return {
        title: 'Some Scores Missing',
        details: [
          `${after.samples_missing} of ${after.samples} samples (${share(missing)}) are left out`,
        ],
      };
    },
  },
  {
    name: 'held-out-behind',
    check(facts) {
      const [samples, heldOut] = [
        comparableChange(facts, 'reward'),
        changeOf(facts, 'eval/pass_rate'),
      ];
      if (!rose(samples) || !fell(heldOut) || passedBetterAt(facts)) return;
      return {
        title: 'Reward Rises, Tests Do Not',
        details: [
          `Reward ${moved(samples)}, held-out pass rate ${moved(heldOut)}: the reward may come from something other than correct programs`,
        ],
      };
    },
  },
  {
    name: 'judge-unsteady',
    check({ after }) {
      const details = judgesOf(after).flatMap(({ name, numbers }) => {
        const { agreement, kappa, place_correlation: place } = numbers;
        return [
          ...below(
            agreement,
            steadyJudge.agreement,
            `\`${name}\`: two verdicts on a program have a rank correlation of`,
          ),
          ...below(
            kappa,
            steadyJudge.kappa,
            `\`${name}\`: two verdicts on a program have a kappa of`,
          ),
          ...(Math.abs(place ?? 0) > steadyJudge.place
            ? [`\`${name}\`: correlation of value and position in the request ${fixed(place)}`]
            : []),
        ];
      });
      if (details.length === 0) return;
      return {
        title: 'Judge Is Inconsistent',
        details: [
          ...details,
          'Part of the training signal is chance: use fewer and binary criteria, temperature 0, or a better judge',
        ],
      };
    },
  },
];

function below(value: number | null, least: number, what: string): string[] {
  return value !== null && value < least
    ? [`${what} ${fixed(value)} (want at least ${least})`]
    : [];
}

/** Average rewards of the last epochs, held-out if all have them, oldest first. */
function recentRewards({ history }: Facts): number[] {
  const last = history.slice(-1 - stalledEpochs);
  const metric = last.every((line) => numberOf(line, 'eval/reward') !== undefined)
    ? 'eval/reward'
    : 'reward';
  return last.flatMap((line) => numberOf(line, metric) ?? []);
}
