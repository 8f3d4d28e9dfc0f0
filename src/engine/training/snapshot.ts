// Snapshots of a training: what it takes to go on after a step as if nothing had happened.
// A folder holds the trained state and, as JSON, what the steps before have come to.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** How snapshots are taken. */
export interface SnapshotSettings {
  /** A folder on this machine's disk, in which each gets a folder of its own. */
  folder: string;
  /** Least time between two. */
  seconds: number;
}

/** A training that may be gone on with in another process. */
export interface ResumableJob {
  /** Take snapshots, each told with the progress. */
  snapshots?: SnapshotSettings;
  /** Folder of a snapshot of this very job, to go on from. */
  resume?: string | undefined;
}

const progressFile = 'progress.json';
/** The trained state in a snapshot's folder. */
export const stateFile = (snapshot: string) => join(snapshot, 'state.safetensors');

/** What `take` was given as progress. */
export async function readProgress<T>(snapshot: string): Promise<T> {
  return JSON.parse(await readFile(join(snapshot, progressFile), 'utf8')) as T;
}

/** Takes snapshots when it is time for one; after the last step it never is. */
export class SnapshotTimer {
  private readonly settings: SnapshotSettings | undefined;
  private readonly steps: number;
  private last = performance.now();

  constructor(settings: SnapshotSettings | undefined, steps: number) {
    this.settings = settings;
    this.steps = steps;
  }

  /**
   * After step `step`: the new snapshot's folder, where it is time for one.
   * @param progress of finite numbers and what else JSON holds
   */
  async take(
    step: number,
    progress: unknown,
    saveState: (file: string) => Promise<void>,
  ): Promise<string | undefined> {
    if (!this.settings || step >= this.steps) return undefined;
    const elapsed = (performance.now() - this.last) / 1000;
    if (!(elapsed >= this.settings.seconds)) return undefined;
    const snapshot = join(this.settings.folder, `step-${step}`);
    await mkdir(snapshot);
    await saveState(stateFile(snapshot));
    await writeFile(join(snapshot, progressFile), JSON.stringify(progress));
    this.last = performance.now();
    return snapshot;
  }
}
