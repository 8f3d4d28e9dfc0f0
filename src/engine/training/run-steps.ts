// One pass over the training rows in shuffled batches: learning rate, snapshots, progress,
// and resuming after steps already done. What a step computes is up to the caller.

import type { Progress } from '../inference/jobs.ts';
import { permutation, type Uniforms } from '../sampling/random.ts';
import { type LearningRateSettings, learningRate } from './learning-rate.ts';
import { type SnapshotSettings, SnapshotTimer } from './snapshot.ts';
import type { Trainer } from './trainer.ts';

/** One pass over `rows`; `Step` is the report of a step. */
export interface Pass<Row, Step> {
  rows: readonly Row[];
  batchSize: number;
  /** Shuffles the rows. */
  shuffle: Uniforms;
  schedule: LearningRateSettings;
  /** Reports of the steps already done, read from the snapshot that this pass resumes. */
  done: readonly Step[];
  snapshots: SnapshotSettings | undefined;
  takeStep(batch: Row[], learningRate: number): Promise<Step>;
  /** The loss shown with the progress. */
  lossOf(step: Step): number;
  /** Data that a snapshot keeps beside the trained state, as JSON. */
  progressOf(steps: readonly Step[]): unknown;
  onProgress(progress: Progress): void;
}

/** Take the steps that are not done yet. @returns the reports of all steps */
export async function runSteps<Row, Step>(
  trainer: Pick<Trainer, 'step' | 'saveSnapshot'>,
  pass: Pass<Row, Step>,
): Promise<Step[]> {
  const { rows, batchSize } = pass;
  const order = permutation(rows.length, pass.shuffle);
  const total = Math.ceil(rows.length / batchSize);
  const steps = [...pass.done];
  const snapshots = new SnapshotTimer(pass.snapshots, total);
  for (let i = steps.length; i < total; i++) {
    const batch = order.slice(i * batchSize, (i + 1) * batchSize).map((row) => rows[row]!);
    const step = await pass.takeStep(batch, learningRate(pass.schedule, trainer.step));
    steps.push(step);
    const snapshot = await snapshots.take(i + 1, pass.progressOf(steps), (file) =>
      trainer.saveSnapshot(file),
    );
    const note = `loss ${pass.lossOf(step).toFixed(4)}`;
    pass.onProgress({ done: i + 1, total, unit: 'steps', note, snapshot });
  }
  return steps;
}
