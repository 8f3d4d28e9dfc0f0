// The ladder of changes to a run file. A remedy looks at the current settings and proposes its next
// step, or nothing if that step has been taken.

import { share } from '../format.ts';
import type { Facts, KnownSettings } from './epoch-facts.ts';
import type { RemedyName } from './findings.ts';
import { raisedLearningRate, rounded } from './learning-rate.ts';
import { highTemperature, lowKlPenalty, strongRewardWeight } from './thresholds.ts';

type SectionOf<S> = { [K in keyof S]: { section: K; key: keyof S[K] & string } }[keyof S];

/** A setting to change, or to keep on purpose if `from` equals `to`. */
export type SettingChange = SectionOf<KnownSettings> & {
  from: number | boolean | null;
  to: number | boolean | null;
  /** A short reason, such as `stronger reward signal`. */
  why: string;
};

/** One way to apply a remedy. */
export interface Option {
  title: string;
  changes: SettingChange[];
}

/** What a remedy proposes; the first option is recommended. */
export interface Proposal {
  title: string;
  /** `next` applies only if the changes made `now` have not helped. */
  when: 'now' | 'next';
  options: Option[];
  rationale: string[];
}

/** Remedies by name, in order of priority. */
export const remedies: Readonly<Record<RemedyName, (facts: Facts) => Proposal | undefined>> = {
  'relax-threshold': relaxThreshold,
  'strengthen-kl': strengthenKl,
  'lower-learning-rate': lowerLearningRate,
  rebalance,
  'raise-learning-rate': raiseLearningRate,
  'reward-threshold': addThreshold,
  'best-of-n': bestOfN,
  temperature: raiseTemperature,
  'more-samples': moreSamples,
  'longer-completions': longerCompletions,
};

/** A proposal with a single option. */
function single(
  title: string,
  when: Proposal['when'],
  changes: SettingChange[],
  rationale: string[],
): Proposal {
  return { title, when, options: [{ title, changes }], rationale };
}

function rlaif(
  { settings }: Facts,
  key: keyof KnownSettings['rlaif'],
  to: number | boolean | null,
  why: string,
): SettingChange {
  // The algorithm is a name, and no remedy changes it.
  const from = settings.rlaif[key] as number | boolean | null;
  return { section: 'rlaif', key, from, to, why };
}

function learningRate({ settings }: Facts, to: number, why: string): SettingChange {
  const from = settings.training.learning_rate;
  return { section: 'training', key: 'learning_rate', from, to, why };
}

function rebalance(facts: Facts): Proposal | undefined {
  const { reward_weight, kl_penalty } = facts.settings.rlaif;
  const options = [
    ...(reward_weight < strongRewardWeight ? [strongerReward(facts)] : []),
    ...(kl_penalty > lowKlPenalty ? [weakerPenalty(facts)] : []),
  ];
  if (options.length === 0) return undefined;
  return {
    title: 'Rebalance Reward vs KL Penalty',
    when: 'now',
    options,
    rationale: [
      options.length === 2
        ? `Try option A first: it strengthens the reward and leaves the tie to the reference unchanged. Choose B if the gradient norm is already clipped`
        : `The reward must outweigh the penalty for the policy to move towards it`,
    ],
  };
}

function strongerReward(facts: Facts): Option {
  const { reward_weight, kl_penalty } = facts.settings.rlaif;
  const doubled = rounded(2 * reward_weight);
  return {
    title: 'Increase Reward Weight',
    changes: [
      rlaif(facts, 'reward_weight', doubled, 'stronger reward signal'),
      rlaif(facts, 'kl_penalty', kl_penalty, 'prevents drift'),
    ],
  };
}

function weakerPenalty(facts: Facts): Option {
  const { reward_weight, kl_penalty } = facts.settings.rlaif;
  const halved = Math.max(lowKlPenalty, rounded(kl_penalty / 2));
  return {
    title: 'Decrease KL Penalty',
    changes: [
      rlaif(facts, 'reward_weight', reward_weight, 'the penalty is lowered instead'),
      rlaif(facts, 'kl_penalty', halved, 'more room to explore'),
    ],
  };
}

function raiseLearningRate(facts: Facts): Proposal | undefined {
  const raised = raisedLearningRate(facts);
  if (raised === undefined) return undefined;
  return single(
    'Slightly Increase Learning Rate',
    'now',
    [learningRate(facts, raised, '40% up, faster reward learning')],
    ['The loss is stable at the current rate; slightly larger steps learn reward patterns sooner'],
  );
}

function lowerLearningRate(facts: Facts): Proposal {
  const halved = rounded(facts.settings.training.learning_rate / 2);
  return single(
    'Halve Learning Rate',
    'now',
    [learningRate(facts, halved, 'smaller, steadier updates')],
    ['Smaller steps keep the policy close to the one that drew the samples'],
  );
}

function addThreshold(facts: Facts): Proposal | undefined {
  if (facts.settings.rlaif.reward_threshold !== null) return undefined;
  const threshold = 0.2;
  const bins = facts.after.reward_histogram;
  const dropped =
    bins?.length === 10
      ? `It would have dropped ${share(bins[0]! + bins[1]!)} of this epoch's samples`
      : 'It drops about the lowest quarter if the average is near 0.25; check the reward distribution';
  return single(
    'Add Reward Threshold Filtering',
    'next',
    [rlaif(facts, 'reward_threshold', threshold, 'train only on reward >= 0.2')],
    ['Very poor samples no longer shape the policy', dropped],
  );
}

function relaxThreshold(facts: Facts): Proposal {
  const { reward_threshold } = facts.settings.rlaif;
  const halved =
    reward_threshold === null || reward_threshold < 0.1 ? null : rounded(reward_threshold / 2);
  return single(
    'Relax Reward Threshold',
    'now',
    [rlaif(facts, 'reward_threshold', halved, 'lets samples pass again')],
    ['If no sample passes the filter, nothing is trained'],
  );
}

function bestOfN(facts: Facts): Proposal | undefined {
  if (facts.settings.rlaif.best_of_n_training) return undefined;
  return single(
    'Train on the Best of N',
    'next',
    [rlaif(facts, 'best_of_n_training', true, 'only the best sample of each prompt')],
    [
      'Moves the average towards the best that the policy already reaches',
      'Costs diversity: watch the share of unique samples',
    ],
  );
}

function raiseTemperature(facts: Facts): Proposal | undefined {
  const temperature = facts.settings.rlaif.generation_temperature;
  if (temperature >= highTemperature) return undefined;
  const raised = Math.min(highTemperature, rounded(temperature + 0.1));
  return single(
    'Adjust Temperature for Better Exploration',
    'now',
    [rlaif(facts, 'generation_temperature', raised, 'more exploration')],
    [
      'A slightly higher temperature finds patterns that the policy rarely tries',
      'Rewards sampled at different temperatures are not comparable: use the held-out rows afterwards',
    ],
  );
}

function strengthenKl(facts: Facts): Proposal {
  const { kl_penalty } = facts.settings.rlaif;
  const doubled = kl_penalty === 0 ? lowKlPenalty : rounded(2 * kl_penalty);
  return single(
    'Strengthen KL Penalty',
    'now',
    [rlaif(facts, 'kl_penalty', doubled, 'keeps the policy closer to the reference')],
    ['Drift and collapse both start with leaving the reference too fast'],
  );
}

function moreSamples(facts: Facts): Proposal | undefined {
  const { num_samples_per_prompt } = facts.settings.rlaif;
  if (num_samples_per_prompt >= 32) return undefined;
  return single(
    'Sample More per Prompt',
    'now',
    [
      rlaif(
        facts,
        'num_samples_per_prompt',
        2 * num_samples_per_prompt,
        'more groups with different rewards',
      ),
    ],
    ['With more samples, more groups hold both better and worse ones; sampling time doubles'],
  );
}

function longerCompletions(facts: Facts): Proposal {
  const { max_new_tokens } = facts.settings.rlaif;
  const longer = Math.ceil((1.5 * max_new_tokens) / 16) * 16;
  return single(
    'Allow Longer Completions',
    'now',
    [rlaif(facts, 'max_new_tokens', longer, '50% longer')],
    ['Programs that were cut can finish; the context length of the model is the limit'],
  );
}
