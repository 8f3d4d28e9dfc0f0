// Trains a reward model for one pass over its pairs and commits the checkpoint.

import { mean } from '../../analysis/metrics/statistics.ts';
import { commitCheckpoint, openCheckpoint } from '../../artifacts/checkpoints.ts';
import { encodeJsonl } from '../../artifacts/jsonl.ts';
import { layout } from '../../artifacts/layout.ts';
import type { PreferencePair } from '../../records/prompts.ts';
import type { PreferenceJob } from '../../rl/preference/job.ts';
import { runActivity } from '../activity.ts';
import { type Dependencies, storeOf } from '../dependencies.ts';
import { readRows } from '../samples.ts';
import { type SnapshottedTraining, withSnapshots } from '../snapshots.ts';
import type { RewardModelEpochInput, TrainedRewardModel } from './contract.ts';
import { within } from './pairs.ts';

export function trainRewardModelWith(dependencies: Dependencies) {
  return async function trainRewardModel(
    input: RewardModelEpochInput,
  ): Promise<TrainedRewardModel> {
    const { run, epoch, refit, config, model, pairs } = input;
    const { engine, prompt_format: promptFormat, training, lora, seed } = config;
    const store = storeOf(dependencies, run);
    return runActivity(store, { stage: 'train', epoch }, async (scope) => {
      const path = within(refit, layout.checkpoint(epoch));
      const scratch = await store.scratch(path);
      const job: PreferenceJob = {
        engine,
        promptFormat,
        training,
        lora,
        seed,
        epoch,
        out: scratch,
        model: await openCheckpoint(store, model),
        pairs: await readRows<PreferencePair>(store, pairs),
      };
      const snapshotted: SnapshottedTraining = {
        input,
        epoch,
        folder: refit ? layout.refitSnapshots(refit, epoch) : layout.snapshots(epoch),
        seconds: engine.snapshot_seconds,
      };
      return withSnapshots(store, snapshotted, scope, async (resumable, options) => {
        const trained = await dependencies.models.trainRewardModel(
          { ...job, ...resumable },
          options,
        );
        const { steps, tooLong } = trained;
        await store.write(within(refit, layout.steps(epoch)), encodeJsonl(steps));
        const base = model.base ?? (lora ? model : undefined);
        const checkpoint = { path, epoch, step: model.step + steps.length, base };
        return {
          model: await commitCheckpoint(store, scratch, checkpoint),
          loss: mean(steps.map(({ loss }) => loss))!,
          accuracy: mean(steps.map(({ accuracy }) => accuracy))!,
          tooLong,
        };
      });
    });
  };
}
