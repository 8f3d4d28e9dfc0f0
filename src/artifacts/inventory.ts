// What lies in a folder of runs, with sizes and times, as garbage collection sees it. Of a disk
// local-inventory.ts tells, of a bucket s3-inventory.ts.

/** A file, or something else that takes room: a folder on a disk, an upload that has not ended. */
export interface Entry {
  /** Relative to the folder of runs, its names joined by slashes. */
  path: string;
  bytes: number;
  /** When it last changed, Unix ms. */
  changedMs: number;
}

/** Every method throws AnnealError StoreUnavailable where a bucket's service refuses. */
export interface Inventory {
  /** Names of the folders in the folder of runs, files in a bucket among them. */
  folders(): Promise<string[]>;
  /** All that lies in a folder, at any depth; nothing where there is none. */
  entries(folder: string): Promise<Entry[]>;
  /** Paths of what, of a run's entries, an attempt leaves that was cut off or is still at work. */
  unfinished(entries: readonly Entry[]): string[];
  /** Take away what lies at a path, with all that is in it; nothing where it is gone already. */
  remove(path: string): Promise<void>;
}
