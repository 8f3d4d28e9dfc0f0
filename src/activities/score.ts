// Scores one shard of rollouts with the declared rewards.

import { createHash } from 'node:crypto';
import { openCheckpoint } from '../artifacts/checkpoints.ts';
import { encodeJsonl } from '../artifacts/jsonl.ts';
import { layout } from '../artifacts/layout.ts';
import type { Store } from '../artifacts/store.ts';
import type { InputRoots } from '../config/input-roots.ts';
import { scoringModel, withScoringModel } from '../config/reward-traits.ts';
import type { RewardConfig } from '../config/schema/rewards.ts';
import type { ArtifactRef } from '../records/refs.ts';
import type { Rollout, ScoredRollout } from '../records/rollouts.ts';
import { createRewards } from '../rewards/kinds.ts';
import { normalFormsOf } from '../rewards/programs/normal-form/index.ts';
import { bareFormat, programOf } from '../rewards/programs/program-of.ts';
import { scoreCompletions } from '../rewards/score-completions.ts';
import { runActivity } from './activity.ts';
import type { ScoreInput } from './contract.ts';
import { type Dependencies, inputRootsOf, storeOf } from './dependencies.ts';
import { rememberRecent } from './remember-recent.ts';
import { rewardServices } from './reward-services.ts';
import { readPromptsById, readRows } from './samples.ts';

type Declared = Pick<ScoreInput, 'run' | 'rewards' | 'resumes' | 'engine'>;

export function scoreWith(dependencies: Dependencies) {
  /** Rewards cache what they learn about prompts across shards. */
  const rewardsOf = rememberRecent(
    async ({ rewards, engine, run, resumes }: Declared) => {
      const account = { runsDir: dependencies.runsDir, run, resumes };
      const services = rewardServices(dependencies.models, engine, account);
      return createRewards(rewards, services, dependencies.rewards);
    },
    ({ rewards, engine, run, resumes }) => JSON.stringify([rewards, engine, run, resumes]),
  );
  return async function score(input: ScoreInput): Promise<ArtifactRef> {
    const store = storeOf(dependencies, input.run);
    const { epoch, split, shard } = input;
    const stage = split === 'train' ? 'score' : 'evaluate';
    return runActivity(store, { stage, epoch, split, shard }, async (scope) => {
      const roots = inputRootsOf(dependencies);
      const rollouts = await readRows<Rollout>(store, input.rollouts);
      const prompts = await readPromptsById(store, input.prompts);
      const asked = rollouts.map(({ promptId }) => prompts.get(promptId)!);
      const texts = rollouts.map(({ text }) => text);
      const declared = await withOwnModels(store, input, roots);
      const rewards = await rewardsOf({ ...input, rewards: declared });
      const format = input.promptFormat ?? bareFormat;
      const scores = await scoreCompletions(asked, texts, rewards, { ...scope, format });
      const forms = await normalFormsOf(
        asked,
        texts.map((text, index) => programOf(asked[index]!, text, format)),
      );
      const rows = rollouts.map(
        (rollout, i): ScoredRollout => ({
          ...rollout,
          ...scores[i]!,
          program: programHash(forms[i]!),
        }),
      );
      return store.write(layout.scored(epoch, split, shard), encodeJsonl(rows), rows.length);
    });
  };
}

/** The rewards, with paths of reward models replaced by the run's own copies. */
async function withOwnModels(
  store: Store,
  { rewards, rewardModels = {} }: ScoreInput,
  roots: InputRoots,
): Promise<RewardConfig[]> {
  const configs: RewardConfig[] = [];
  for (const reward of rewards) {
    const ref = rewardModels[reward.name];
    const path = ref && (await openCheckpoint(store, ref));
    const named = scoringModel(reward)?.path;
    if (named !== undefined && !path) roots.require(named, `rewards: path of '${reward.name}'`);
    configs.push(path ? withScoringModel(reward, path) : reward);
  }
  return configs;
}

/** A short hash of a program's normal form: a sample's line carries it. */
function programHash(form: string | null): string | null {
  return form && createHash('sha256').update(form).digest('hex').slice(0, 16);
}
