// Scores one shard of rollouts with the declared rewards.

import { createHash } from 'node:crypto';
import { encodeJsonl } from '../artifacts/jsonl.ts';
import { layout } from '../artifacts/layout.ts';
import type { ArtifactRef, Rollout, ScoredRollout } from '../config/records.ts';
import { normalFormsOf } from '../rewards/normal-forms.ts';
import { programOf } from '../rewards/prompts.ts';
import { createRewards, scoreCompletions } from '../rewards/score-completions.ts';
import type { ScoreInput } from './contract.ts';
import { type Dependencies, rewardServicesOf, storeOf } from './dependencies.ts';
import { runJob } from './job.ts';
import { rememberRecent } from './recent.ts';
import { readPromptsById, readRows } from './samples.ts';

type Declared = Pick<ScoreInput, 'run' | 'rewards' | 'resumes'>;

export function scoreWith(dependencies: Dependencies) {
  /** Rewards keep what they learn of prompts from shard to shard. */
  const rewardsOf = rememberRecent(
    async ({ run, rewards, resumes }: Declared) =>
      createRewards(rewards, rewardServicesOf(dependencies, run, resumes)),
    ({ run, rewards, resumes }) => JSON.stringify([run, rewards, resumes]),
  );
  return async function score(input: ScoreInput): Promise<ArtifactRef> {
    const store = storeOf(dependencies, input.run);
    const { epoch, split, shard } = input;
    const stage = split === 'train' ? 'score' : 'evaluate';
    return runJob(store, { stage, epoch, split, shard }, async (job) => {
      const rollouts = await readRows<Rollout>(store, input.rollouts);
      const prompts = await readPromptsById(store, input.prompts);
      const asked = rollouts.map(({ promptId }) => prompts.get(promptId)!);
      const texts = rollouts.map(({ text }) => text);
      const scores = await scoreCompletions(asked, texts, await rewardsOf(input), job);
      const forms = await normalFormsOf(
        asked,
        texts.map((text, index) => programOf(asked[index]!, text)),
      );
      const rows = rollouts.map(
        (rollout, i): ScoredRollout => ({
          ...rollout,
          ...scores[i]!,
          program: nameOf(forms[i]!),
        }),
      );
      return store.write(layout.scored(epoch, split, shard), encodeJsonl(rows), rows.length);
    });
  };
}

/** Names a program by its normal form, shortly: a sample's line carries it. */
function nameOf(form: string | null): string | null {
  return form && createHash('sha256').update(form).digest('hex').slice(0, 16);
}
