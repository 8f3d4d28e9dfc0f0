// Snapshots of a training job in the run's folder. After a crash, the next attempt on any worker
// resumes from the last one.

import { createHash } from 'node:crypto';
import { log } from '@temporalio/activity';
import { commitCheckpoint, openCheckpoint } from '../artifacts/checkpoints.ts';
import type { Store } from '../artifacts/store.ts';
import type { Progress } from '../engine/inference/jobs.ts';
import type { ResumableJob, SnapshotSettings } from '../engine/training/snapshot.ts';
import type { CheckpointRef } from '../records/refs.ts';
import type { JobOptions } from '../rl/model-service.ts';
import type { ActivityScope } from './activity.ts';

/** A training that takes snapshots. */
export interface SnapshottedTraining {
  /** Everything that it depends on; only a job with the same input resumes from them. */
  input: unknown;
  /** For the snapshots' manifests. */
  epoch: number;
  /** The snapshots' folder; no other active training uses it. */
  folder: string;
  /** Minimum time between two snapshots. */
  seconds: number;
}

/**
 * Train from the last snapshot of this training, if there is one. Snapshots are kept until `train`
 * has committed its result.
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

/** Content of last.json: the last snapshot, and the training that it belongs to. */
interface Last {
  /** Hash of the training's input. */
  input: string;
  snapshot: CheckpointRef;
}

export class TrainingSnapshots {
  readonly #store: Store;
  readonly #training: SnapshottedTraining;
  #last: CheckpointRef | undefined;
  #written: Promise<void> = Promise.resolve();

  constructor(store: Store, training: SnapshottedTraining) {
    this.#store = store;
    this.#training = training;
  }

  /** Where to put snapshots, and the one to resume from, if any. */
  async open(): Promise<{
    snapshots: SnapshotSettings;
    last: { folder: string; step: number } | undefined;
  }> {
    const folder = await this.#store.scratch(`${this.#training.folder}/new`);
    const { seconds } = this.#training;
    return { snapshots: { folder, seconds }, last: await this.#find() };
  }

  /** Store a reported snapshot while training continues. */
  keep({ snapshot, done }: Progress): void {
    if (snapshot === undefined) return;
    // A failed write only costs time after a crash.
    const write = () =>
      this.#write(snapshot, done).catch((error) =>
        log.warn('could not keep a snapshot', { error }),
      );
    this.#written = this.#written.then(write);
  }

  /** Resolves once all snapshots so far are written. */
  settled(): Promise<void> {
    return this.#written;
  }

  /** Training is done; delete its snapshots. */
  async close(): Promise<void> {
    await this.settled();
    await this.#store.remove(this.#training.folder);
  }

  async #find(): Promise<{ folder: string; step: number } | undefined> {
    const text = await this.#store.readText(this.#lastFile);
    if (text === null) return undefined;
    try {
      const { input, snapshot } = JSON.parse(text) as Last;
      if (input !== this.#hash) {
        log.warn('training starts from the beginning: the snapshot belongs to another training', {
          snapshot: snapshot.path,
        });
        return undefined;
      }
      const folder = await openCheckpoint(this.#store, snapshot);
      this.#last = snapshot;
      return { folder, step: snapshot.step };
    } catch (error) {
      log.warn('training starts from the beginning: the snapshot cannot be used', { error });
      return undefined;
    }
  }

  async #write(scratch: string, step: number): Promise<void> {
    const { folder, epoch } = this.#training;
    const path = `${folder}/step-${step}`;
    const snapshot = await commitCheckpoint(this.#store, scratch, { path, epoch, step });
    const last: Last = { input: this.#hash, snapshot };
    await this.#store.write(this.#lastFile, JSON.stringify(last));
    if (this.#last && this.#last.path !== path) await this.#store.remove(this.#last.path);
    this.#last = snapshot;
  }

  get #lastFile(): string {
    return `${this.#training.folder}/last.json`;
  }

  get #hash(): string {
    return createHash('sha256').update(JSON.stringify(this.#training.input)).digest('hex');
  }
}
