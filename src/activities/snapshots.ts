// Snapshots of an epoch's training in the run's folder: the attempt after a killed one goes on from
// the last, whichever worker takes it.

import { createHash } from 'node:crypto';
import { log } from '@temporalio/activity';
import { commitCheckpoint, openCheckpoint } from '../artifacts/checkpoints.ts';
import { layout } from '../artifacts/layout.ts';
import type { Store } from '../artifacts/store.ts';
import type { CheckpointRef } from '../config/records.ts';
import type { Progress } from '../rl/model-service.ts';
import type { SnapshotSettings } from '../rl/snapshot.ts';
import type { TrainInput } from './contract.ts';

/** What says which snapshot is the last, and of what. */
interface Last {
  /** Hash of the activity's input: a training that differs in anything does not go on from it. */
  input: string;
  snapshot: CheckpointRef;
}

export class EpochSnapshots {
  private readonly store: Store;
  private readonly input: TrainInput;
  private readonly folder: string;
  private last: CheckpointRef | undefined;
  private written: Promise<void> = Promise.resolve();

  constructor(store: Store, input: TrainInput) {
    this.store = store;
    this.input = input;
    this.folder = layout.snapshots(input.epoch);
  }

  /** Where snapshots go, and the one to go on from, if there is one: its folder and its step. */
  async open(): Promise<{
    snapshots: SnapshotSettings;
    last: { folder: string; step: number } | undefined;
  }> {
    const folder = await this.store.scratch(`${this.folder}/new`);
    const seconds = this.input.engine.snapshot_seconds;
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
    await this.store.remove(this.folder);
  }

  private async find(): Promise<{ folder: string; step: number } | undefined> {
    const text = await this.store.readDocument(this.lastFile);
    if (text === null) return undefined;
    const { input, snapshot } = JSON.parse(text) as Last;
    if (input !== this.hash) return undefined;
    try {
      const folder = await openCheckpoint(this.store, snapshot);
      this.last = snapshot;
      return { folder, step: snapshot.step };
    } catch (error) {
      log.warn('training starts the epoch anew', { error });
      return undefined;
    }
  }

  private async write(scratch: string, step: number): Promise<void> {
    const { epoch } = this.input;
    const path = `${this.folder}/step-${step}`;
    const snapshot = await commitCheckpoint(this.store, scratch, { path, epoch, step });
    const last: Last = { input: this.hash, snapshot };
    await this.store.write(this.lastFile, JSON.stringify(last));
    if (this.last && this.last.path !== path) await this.store.remove(this.last.path);
    this.last = snapshot;
  }

  private get lastFile(): string {
    return `${this.folder}/last.json`;
  }

  private get hash(): string {
    return createHash('sha256').update(JSON.stringify(this.input)).digest('hex');
  }
}
