// Where a run's files live, as the activities see it. Every path is relative to the run's folder,
// so that a workflow's history names no machine. local-store.ts keeps them in a folder on disk,
// s3-store.ts in an object store.

import type { ArtifactRef } from '../records/refs.ts';

/** How many requests a task should have in flight at a time. */
export const requestsAtOnce = 16;

/**
 * Files of one run. An artifact is written once and known by its hash; a document changes. What
 * writes throws AnnealError StoreUnavailable where the store is full, read-only or away.
 */
export interface Store {
  /**
   * Write a file whole or not at all, and say what was written. Writing the same content to the
   * same path again changes nothing, so an activity may be tried any number of times.
   */
  write(path: string, content: string | Uint8Array, count?: number): Promise<ArtifactRef>;
  /** The bytes of an artifact. @throws AnnealError DamagedArtifact if gone or not those bytes. */
  read(ref: ArtifactRef): Promise<Buffer>;
  /** The text of a document as it is now, such as metrics.jsonl; null where there is none. */
  readText(path: string): Promise<string | null>;
  /** Add a line to a log that nothing depends on. */
  append(path: string, line: string): Promise<void>;
  /**
   * A new empty folder on this machine's disk, to be filled and handed to `commitFolder` for the
   * same path. Folders that dead attempts left behind for that path are removed.
   */
  scratch(path: string): Promise<string>;
  /** Make a filled scratch folder, durably, the folder at `path`, in place of any other. */
  commitFolder(scratch: string, path: string): Promise<void>;
  /** Names in a folder, sorted, no leftovers of dead attempts among them; none where none is. */
  list(path: string): Promise<string[]>;
  /** Take a file or a whole folder away; nothing where it is gone already. */
  remove(path: string): Promise<void>;
  /**
   * A folder that `commitFolder` made, on this machine's disk.
   * @returns an absolute path, beside those of its siblings that were fetched before; to read from
   * and not to keep for later.
   * @throws AnnealError DamagedArtifact where there is none, or not a whole one.
   */
  fetchFolder(path: string): Promise<string>;
}
