// Scores both answers of every held-out pair with a reward model.

import { type ScoredPair, summarizePairs } from '../../analysis/pages/preference-report.ts';
import { openCheckpoint } from '../../artifacts/checkpoints.ts';
import { encodeJsonl } from '../../artifacts/jsonl.ts';
import { layout } from '../../artifacts/layout.ts';
import type { PreferencePair } from '../../records/prompts.ts';
import type { ModelService } from '../../rl/model-service.ts';
import { type ActivityScope, runActivity } from '../activity.ts';
import { type Dependencies, storeOf } from '../dependencies.ts';
import { readRows } from '../samples.ts';
import type {
  EvaluatedRewardModel,
  PreferenceSettings,
  RewardModelEpochInput,
} from './contract.ts';
import { within } from './pairs.ts';

export function evaluateRewardModelWith(dependencies: Dependencies) {
  return async function evaluateRewardModel({
    run,
    epoch,
    refit,
    config,
    model,
    pairs,
  }: RewardModelEpochInput): Promise<EvaluatedRewardModel> {
    const store = storeOf(dependencies, run);
    return runActivity(store, { stage: 'evaluate', epoch }, async (scope) => {
      const folder = await openCheckpoint(store, model);
      const rows = await readRows<PreferencePair>(store, pairs);
      const scored = await scorePairs(dependencies.models, folder, config, rows, scope);
      const path = within(refit, layout.pairScores(epoch));
      const scores = await store.write(path, encodeJsonl(scored), scored.length);
      return { scores, summary: summarizePairs(scored) };
    });
  };
}

async function scorePairs(
  models: ModelService,
  model: string,
  { engine, prompt_format: promptFormat, training }: PreferenceSettings,
  pairs: readonly PreferencePair[],
  scope: ActivityScope,
): Promise<ScoredPair[]> {
  const sequences = pairs.flatMap(({ prompt, chosen, rejected }) => [
    { prompt, completion: chosen },
    { prompt, completion: rejected },
  ]);
  const batchSize = 2 * training.microbatch_size;
  const maxLength = training.max_length;
  const scores = await models.scores(
    { engine, model, sequences, promptFormat, batchSize, maxLength },
    scope,
  );
  return pairs.map((_, i) => ({ chosen: scores[2 * i]!, rejected: scores[2 * i + 1]! }));
}
