// References to files and checkpoints in a run's folder. Workflows pass these, never contents.

/** A file in a run's folder, by relative path and content. */
export interface ArtifactRef {
  path: string;
  sha256: string;
  bytes: number;
  /** Number of records, if the file is a list. */
  count?: number;
}

/** A checkpoint folder; `sha256` is the hash of its manifest, which lists every file's hash. */
export interface CheckpointRef {
  path: string;
  sha256: string;
  epoch: number;
  /** Optimiser steps taken since the start of the run. */
  step: number;
  /** For adapters: the whole model that they belong to. */
  base?: CheckpointRef | undefined;
}

/** The scored training samples of an epoch. */
export interface ScoredShards {
  epoch: number;
  /** A list of references to the shards, in order. */
  shards: ArtifactRef;
}

/** State of a run that refits reward models: the models in force, and data for the next refit. */
export interface Refitting {
  /** By the name of the reward. */
  rewardModels: Record<string, CheckpointRef>;
  /** Of the phase's epochs so far. Histories and checkpoints have this key too. */
  verdicts: ScoredShards[];
}
