// References to files and checkpoints in a run's folder. Workflows pass these, never contents.

/** A file in a run's folder, by relative path and content. */
export interface ArtifactRef {
  path: string;
  sha256: string;
  bytes: number;
  /** Records in the file, where it is a list. */
  count?: number;
}

/** A checkpoint folder: `sha256` is that of its manifest, which lists every file's hash. */
export interface CheckpointRef {
  path: string;
  sha256: string;
  epoch: number;
  /** Optimiser steps taken since the start of the run. */
  step: number;
  /** Of adapters: the whole model that they are put on. */
  base?: CheckpointRef;
}

/** The scored training samples of an epoch. */
export interface EpochVerdicts {
  epoch: number;
  /** A list of references to their shards, in order. */
  shards: ArtifactRef;
}

/** Of a run that refits reward models: those in force, and what the next refit learns from. */
export interface Refitting {
  /** By the name of the reward. */
  rewardModels: Record<string, CheckpointRef>;
  /** Of the phase's epochs so far. */
  verdicts: EpochVerdicts[];
}
