// Snapshots of a training in the run's folder: the attempt after a killed one goes on from the last,
// whichever worker takes it.

import { createHash } from 'node:crypto';
import { log } from '@temporalio/activity';
import { commitCheckpoint, openCheckpoint } from '../artifacts/checkpoints.ts';
import type { Store } from '../artifacts/store.ts';
import type { Progress } from '../engine/inference/jobs.ts';
import type { ResumableJob, SnapshotSettings } from '../engine/training/snapshot.ts';
import type { CheckpointRef } from '../records/refs.ts';
import type { JobOptions } from '../rl/model-service.ts';
import type { ActivityScope } from './activity.ts';

/** Which training snapshots are of. */
export interface SnapshottedTraining {
  /** All that it depends on: one that differs in anything does not go on from them. */
  input: unknown;
  /** For their manifests. */
  epoch: number;
  /** Where they lie; no other training at work has it. */
  folder: string;
  /** Least time between two. */
  seconds: number;
}

/**
 * Train from the last snapshot on, where there is one of this training; what is taken on the way is
 * kept until `train` has committed what came of it.
 */
export async function withSnapshots<T>(
  store: Store,
  training: SnapshottedTraining,
  scope: ActivityScope,
  train: (how: ResumableJob, options: JobOptions) => Promise<T>,
): Promise<T> {
  const kept = new TrainingSnapshots(store, training);
  const { snapshots, last } = await kept.open();
  if (last) scope.record({ from_step: last.step });
  const onProgress = (progress: Progress) => {
    scope.onProgress(progress);
    kept.keep(progress);
  };
  const result = await train(
    { snapshots, resume: last?.folder },
    { signal: scope.signal, onProgress },
  );
  await kept.close();
  return result;
}

/** What says which snapshot is the last, and of what. */
interface Last {
  /** Hash of the training's input. */
  input: string;
  snapshot: CheckpointRef;
}

export class TrainingSnapshots {
  private readonly store: Store;
  private readonly training: SnapshottedTraining;
  private last: CheckpointRef | undefined;
  private written: Promise<void> = Promise.resolve();

  constructor(store: Store, training: SnapshottedTraining) {
    this.store = store;
    this.training = training;
  }

  /** Where snapshots go, and the one to go on from, if there is one: its folder and its step. */
  async open(): Promise<{
    snapshots: SnapshotSettings;
    last: { folder: string; step: number } | undefined;
  }> {
    const folder = await this.store.scratch(`${this.training.folder}/new`);
    const { seconds } = this.training;
    return { snapshots: { folder, seconds }, last: await this.find() };
  }

  /** Keep the snapshot that was told of, beside the training that goes on. */
  keep({ snapshot, done }: Progress): void {
    if (snapshot === undefined) return;
    // Training does not depend on it: one that cannot be written costs time after a kill, no more.
    const write = () =>
      this.write(snapshot, done).catch((error) => log.warn('no snapshot was kept', { error }));
    this.written = this.written.then(write);
  }

  /** Resolves when what was kept is written. */
  settled(): Promise<void> {
    return this.written;
  }

  /** Training is done: none of it is needed any more. */
  async close(): Promise<void> {
    await this.settled();
    await this.store.remove(this.training.folder);
  }

  private async find(): Promise<{ folder: string; step: number } | undefined> {
    const text = await this.store.readText(this.lastFile);
    if (text === null) return undefined;
    try {
      const { input, snapshot } = JSON.parse(text) as Last;
      if (input !== this.hash) {
        log.warn('training starts anew: the snapshot is of another', { snapshot: snapshot.path });
        return undefined;
      }
      const folder = await openCheckpoint(this.store, snapshot);
      this.last = snapshot;
      return { folder, step: snapshot.step };
    } catch (error) {
      log.warn('training starts anew: the snapshot cannot be used', { error });
      return undefined;
    }
  }

  private async write(scratch: string, step: number): Promise<void> {
    const { folder, epoch } = this.training;
    const path = `${folder}/step-${step}`;
    const snapshot = await commitCheckpoint(this.store, scratch, { path, epoch, step });
    const last: Last = { input: this.hash, snapshot };
    await this.store.write(this.lastFile, JSON.stringify(last));
    if (this.last && this.last.path !== path) await this.store.remove(this.last.path);
    this.last = snapshot;
  }

  private get lastFile(): string {
    return `${this.training.folder}/last.json`;
  }

  private get hash(): string {
    return createHash('sha256').update(JSON.stringify(this.training.input)).digest('hex');
  }
}
