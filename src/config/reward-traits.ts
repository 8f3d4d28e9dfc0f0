// Properties of each kind of reward that other layers need. Pure, and imports only types, because
// workflows depend on it. `rewards/kinds.ts` has the rewards themselves.

import type { RewardConfig } from './schema/rewards.ts';

export type RewardKind = RewardConfig['kind'];
export type RewardOf<K extends RewardKind> = Extract<RewardConfig, { kind: K }>;

/** A model that a reward scores with: a run copies it, and can refit it between phases. */
export type ScoringModel = Pick<
  RewardOf<'reward_model'>,
  'name' | 'path' | 'prompt_format' | 'max_length' | 'gate' | 'refit'
>;

interface RewardTraits<C extends RewardConfig> {
  /** The model that the reward scores with; null if it has none. */
  model: (reward: C) => ScoringModel | null;
  /** The same reward with its model in another folder. */
  withModel: (reward: C, path: string) => C;
  /** Whether the reward keeps verdicts in the files that all workers share. */
  keepsVerdicts: boolean;
  /** Whether workers run a module or program that the run file names. */
  runsCode: boolean;
}

const withoutModel = { runsCode: false, model: () => null, withModel: <C>(reward: C) => reward };

const traits: { [K in RewardKind]: RewardTraits<RewardOf<K>> } = {
  rubric: { ...withoutModel, keepsVerdicts: false },
  reward_model: {
    model: (reward) => reward,
    withModel: (reward, path) => ({ ...reward, path }),
    keepsVerdicts: false,
    runsCode: false,
  },
  judge: { ...withoutModel, keepsVerdicts: true },
  function: { ...withoutModel, keepsVerdicts: true, runsCode: true },
  http: { ...withoutModel, keepsVerdicts: true },
  command: { ...withoutModel, keepsVerdicts: true, runsCode: true },
};

function traitsOf<C extends RewardConfig>(reward: C): RewardTraits<C> {
  return traits[reward.kind] as unknown as RewardTraits<C>;
}

/** The model that a reward scores with; null if it has none. */
export function scoringModel(reward: RewardConfig): ScoringModel | null {
  return traitsOf(reward).model(reward);
}

/** The models that rewards score with, in the order of the rewards. */
export function scoringModels(rewards: readonly RewardConfig[]): ScoringModel[] {
  return rewards.map(scoringModel).filter((model) => model !== null);
}

/** The same reward with its model in another folder. */
export function withScoringModel(reward: RewardConfig, path: string): RewardConfig {
  return traitsOf(reward).withModel(reward, path);
}

/** Whether a reward keeps verdicts in the files that all workers share. */
export function keepsVerdicts(reward: RewardConfig): boolean {
  return traitsOf(reward).keepsVerdicts;
}

/** Whether workers run a module or program that the run file names for a reward. */
export function runsCode(reward: RewardConfig): boolean {
  return traitsOf(reward).runsCode;
}
