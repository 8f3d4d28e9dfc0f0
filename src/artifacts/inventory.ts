// The contents of a folder of runs with sizes and times, for garbage collection. local/inventory.ts
// is for disks, s3/inventory.ts for buckets.

/** A file, or something else that takes space: a folder on disk, an unfinished upload. */
export interface Entry {
  /** Relative to the folder of runs, with slashes. */
  path: string;
  bytes: number;
  /** When it last changed, Unix ms. */
  changedMs: number;
}

/** Every method throws AnnealError StoreUnavailable if a bucket's service refuses. */
export interface Inventory {
  /** Names of the folders in the folder of runs; for a bucket, of its files too. */
  folders(): Promise<string[]>;
  /** Everything in a folder, at any depth; empty if there is no such folder. */
  entries(folder: string): Promise<Entry[]>;
  /** Paths among a run's entries that belong to a crashed or an active attempt. */
  unfinished(entries: readonly Entry[]): string[];
  /** Delete a file or a whole folder; does nothing if it is gone already. */
  remove(path: string): Promise<void>;
}
