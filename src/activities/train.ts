// Trains the policy on an epoch's batch and commits the checkpoint.

import {
  commitCheckpoint,
  copyModel,
  openCheckpoint,
  trainingFiles,
  writeTrainerState,
} from '../artifacts/checkpoints.ts';
import { writeDocument } from '../artifacts/documents.ts';
import { encodeJsonl } from '../artifacts/jsonl.ts';
import { layout } from '../artifacts/layout.ts';
import type { Store } from '../artifacts/store.ts';
import type { TrainStats } from '../records/metrics.ts';
import type { TrainJob, TrainReport, TrainSample } from '../rl/policy/job.ts';
import { runActivity } from './activity.ts';
import type { Trained, TrainInput } from './contract.ts';
import { type Dependencies, storeOf } from './dependencies.ts';
import { readRows } from './samples.ts';
import { type SnapshottedTraining, withSnapshots } from './snapshots.ts';

export function trainWith(dependencies: Dependencies) {
  return async function train(input: TrainInput): Promise<Trained> {
    const store = storeOf(dependencies, input.run);
    const { epoch, reference, settings, refitting } = input;
    const path = layout.checkpoint(epoch);
    const training: SnapshottedTraining = {
      input,
      epoch,
      folder: layout.snapshots(epoch),
      seconds: input.engine.snapshot_seconds,
    };
    return runActivity(store, { stage: 'train', epoch }, (scope) =>
      withSnapshots(store, training, scope, async (resumable, options) => {
        const scratch = await store.scratch(path);
        const report = await fill(scratch, store, input, (job) =>
          dependencies.models.train({ ...job, ...resumable }, options),
        );
        await writeDocument(store, layout.steps(epoch), encodeJsonl(report?.steps ?? []));
        if (report?.advantages)
          await store.write(layout.advantages(epoch), encodeJsonl(report.advantages));
        const stats = report?.stats ?? null;
        const step = input.policy.step + (stats?.steps ?? 0);
        const base = baseOf(input, stats);
        await writeTrainerState(scratch, {
          epoch,
          step,
          reference,
          base,
          settings,
          refitting,
          stats: stats && { ...stats },
        });
        return {
          policy: await commitCheckpoint(store, scratch, { path, epoch, step, base }),
          stats,
        };
      }),
    );
  };
}

/** The model that the policy's adapters belong to, if it has adapters. */
function baseOf({ policy, lora }: TrainInput, stats: TrainStats | null) {
  return policy.base ?? (lora && stats ? policy : undefined);
}

/** Fill `scratch` with the trained policy, or with a copy of the old one if the batch is empty. */
async function fill(
  scratch: string,
  store: Store,
  input: TrainInput,
  train: (job: TrainJob) => Promise<TrainReport>,
): Promise<TrainReport | null> {
  const { engine, promptFormat, settings, lora, freshOptimizer, seed, epoch } = input;
  const model = await openCheckpoint(store, input.policy);
  const samples = await readRows<TrainSample>(store, input.batch);
  if (samples.length === 0) {
    await copyModel(model, scratch, { without: freshOptimizer ? trainingFiles : [] });
    return null;
  }
  const reference = await openCheckpoint(store, input.reference);
  return train({
    engine,
    model,
    reference,
    samples,
    promptFormat,
    settings,
    lora,
    freshOptimizer,
    seed,
    epoch,
    out: scratch,
  });
}
