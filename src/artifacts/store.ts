// The files of a run, as activities see them. All paths are relative to the run's folder, so that a
// workflow's history names no machine. local/store.ts keeps them in a folder on disk, s3/store.ts in
// an object store.

import type { ArtifactRef } from '../records/refs.ts';

/** How many requests a task should have in flight at a time. */
export const requestsAtOnce = 16;

/**
 * Files of one run. An artifact is written once and identified by its hash; a document changes.
 * Writing throws AnnealError StoreUnavailable if the store is full, read-only or unreachable.
 */
export interface Store {
  /**
   * Write a file whole or not at all. Writing the same content to the same path again changes
   * nothing, so activities can be retried.
   */
  write(path: string, content: string | Uint8Array, count?: number): Promise<ArtifactRef>;
  /** The bytes of an artifact. @throws AnnealError DamagedArtifact if they are missing or changed */
  read(ref: ArtifactRef): Promise<Buffer>;
  /** The current text of a document, unchecked; null if there is none. See `readVerified`. */
  readText(path: string): Promise<string | null>;
  /** Add a line to a log that nothing depends on. */
  append(path: string, line: string): Promise<void>;
  /**
   * A new empty folder on this machine's disk, to fill and pass to `commitFolder` with the same path.
   * Scratch folders of crashed attempts at the same path are removed.
   */
  scratch(path: string): Promise<string>;
  /** Make a filled scratch folder durably the folder at `path`, replacing any other. */
  commitFolder(scratch: string, path: string): Promise<void>;
  /** Sorted names in a folder, without leftovers of crashed attempts; empty if there is no folder. */
  list(path: string): Promise<string[]>;
  /** Delete a file or a whole folder; does nothing if it is gone already. */
  remove(path: string): Promise<void>;
  /**
   * A folder that `commitFolder` made, on this machine's disk.
   * @returns an absolute path, beside siblings that were fetched before; read from it now, because
   * the copy may be evicted later
   * @throws AnnealError DamagedArtifact if the folder is missing or incomplete
   */
  fetchFolder(path: string): Promise<string>;
}
