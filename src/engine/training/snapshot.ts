// Snapshots of a training job, to resume it after a step with the same result. A snapshot is a folder
// with the trained state and, as JSON, the reports of the steps so far.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** How snapshots are taken. */
export interface SnapshotSettings {
  /** A local folder; each snapshot is a sub-folder. */
  folder: string;
  /** Minimum time between two. */
  seconds: number;
}

/** A training job that another process may resume. */
export interface ResumableJob {
  /** Take snapshots, and report each with the progress. */
  snapshots?: SnapshotSettings;
  /** Folder of a snapshot of the same job to resume from. */
  resume?: string | undefined;
}

const progressFile = 'progress.json';
/** The trained state in a snapshot's folder. */
export const stateFile = (snapshot: string) => join(snapshot, 'state.safetensors');

/** The progress that was given to `take`. */
export async function readProgress<T>(snapshot: string): Promise<T> {
  return JSON.parse(await readFile(join(snapshot, progressFile), 'utf8')) as T;
}

/** Takes a snapshot when enough time has passed, but not after the last step. */
export class SnapshotTimer {
  readonly #settings: SnapshotSettings | undefined;
  readonly #steps: number;
  #last = performance.now();

  constructor(settings: SnapshotSettings | undefined, steps: number) {
    this.#settings = settings;
    this.#steps = steps;
  }

  /**
   * Called after step `step`. @returns the new snapshot's folder, if it was time for one
   * @param progress JSON data; all numbers are finite
   */
  async take(
    step: number,
    progress: unknown,
    saveState: (file: string) => Promise<void>,
  ): Promise<string | undefined> {
    if (!this.#settings || step >= this.#steps) return undefined;
    const elapsed = (performance.now() - this.#last) / 1000;
    if (!(elapsed >= this.#settings.seconds)) return undefined;
    const snapshot = join(this.#settings.folder, `step-${step}`);
    await mkdir(snapshot);
    await saveState(stateFile(snapshot));
    await writeFile(join(snapshot, progressFile), JSON.stringify(progress));
    this.#last = performance.now();
    return snapshot;
  }
}
