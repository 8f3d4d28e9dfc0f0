// The registry of reward kinds. A new kind is a folder here and an entry below, a schema in
// config/schema/rewards.ts and an entry in config/reward-traits.ts; the compiler asks for each.

import { type ResolveInput, resolveInput } from '../config/paths.ts';
import type { RewardKind, RewardOf } from '../config/reward-traits.ts';
import type { RewardConfig } from '../config/schema/rewards.ts';
import { AnnealError } from '../errors.ts';
import { judgeKind } from './judge/judge.ts';
import { commandKind } from './own/command.ts';
import { functionKind } from './own/function.ts';
import { httpKind } from './own/http.ts';
import type { Reward, RewardImplementation, RewardServices } from './reward.ts';
import { rewardModelKind } from './reward-model/reward-model.ts';
import { rubricKind } from './rubric/rubric.ts';

const kinds: { [K in RewardKind]: RewardImplementation<RewardOf<K>> } = {
  rubric: rubricKind,
  reward_model: rewardModelKind,
  judge: judgeKind,
  function: functionKind,
  http: httpKind,
  command: commandKind,
};

function kindOf<C extends RewardConfig>(config: C): RewardImplementation<C> {
  return kinds[config.kind] as unknown as RewardImplementation<C>;
}

/**
 * Create the rewards of a run file, in order, followed by those that the worker adds.
 * @throws AnnealError InvalidConfig if two have the same name, or one cannot be set up.
 */
export function createRewards(
  configs: readonly RewardConfig[],
  services: RewardServices,
  added: readonly Reward[] = [],
): Reward[] {
  const names = [...configs, ...added].map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new AnnealError(
      'InvalidConfig',
      `rewards: expected a different name for each, found '${twice}' twice; rename one`,
    );
  return [...configs.map((config) => kindOf(config).create(config, services)), ...added];
}

/**
 * Check that this worker can and may compute the rewards of a run that is about to start.
 * @throws AnnealError InvalidConfig as createRewards, and for what the worker does not allow.
 */
export function checkRewards(configs: readonly RewardConfig[], services: RewardServices): void {
  createRewards(configs, services);
  for (const config of configs) kindOf(config).check?.(config);
}

/**
 * Replace every file that the rewards name by its content, so that the run holds it itself.
 * @param resolve finds a file; a worker's finds only those that it allows.
 * @throws AnnealError InvalidConfig for a file that is missing or breaks its schema.
 */
export async function readRewardFiles(
  configs: readonly RewardConfig[],
  resolve: ResolveInput = resolveInput,
): Promise<RewardConfig[]> {
  return Promise.all(
    configs.map((config) => kindOf(config).readFiles?.(config, resolve) ?? config),
  );
}
