// What people and programs say to a live run, and what it answers. Imported by the workflows and
// by every client of them.

import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { PreferenceEpoch } from '../analysis/pages/preference-report.ts';
import type { RlaifConfig } from '../config/schema/rlaif.ts';
import type { TrainingConfig } from '../config/schema/training.ts';
import type { EpochMetrics, Refit } from '../records/metrics.ts';
import type { CheckpointRef } from '../records/refs.ts';

/** Where a run stands, as `anneal status` and the live table show it. */
export interface RunStatus {
  run: string;
  state: 'preparing' | 'running' | 'paused' | 'stopping' | 'completed' | 'failed';
  phase: string | null;
  epoch: number | null;
  firstEpoch: number;
  lastEpoch: number;
  /** Workflow id of the epoch that runs now. */
  epochWorkflowId: string | null;
  /** The start line and every finished epoch, oldest first. */
  metrics: EpochMetrics[];
  checkpoint: CheckpointRef | null;
  /** Why a judge stopped the run, which waits to be resumed; null where it did not. */
  stopped: string | null;
  /** What was damaged and made again, the latest last; none where nothing was. */
  remade?: Remade[];
  /** Of reward models so far, oldest first; none where not said. */
  refits?: Refit[];
}

/** A file that was found damaged or gone, and how; its epoch was made again. */
export interface Remade {
  epoch: number;
  problem: string;
}

/** What a finished run returns. */
export interface RunResult {
  run: string;
  checkpoint: CheckpointRef;
  /** Finished epochs, the start line not counted. */
  epochs: number;
  evalRewardAtStart: number;
  evalRewardAtEnd: number;
  stoppedEarly: boolean;
}

/** What a finished training of a reward model returns. */
export interface RewardModelResult {
  run: string;
  /** The folder that it wrote. */
  out: string;
  /** Share of held-out pairs in the right order. */
  accuracy: number | null;
  epochs: PreferenceEpoch[];
}

/** Runs to make, a few at a time. */
export interface ExperimentInput {
  runs: { id: string; file: unknown }[];
  concurrency: number;
}

/** How a run of an experiment ended. */
export interface ExperimentOutcome {
  id: string;
  /** Why it failed; null where it completed. */
  failure: string | null;
}

/** Changes to what is in force from the next epoch on, over the phase's own overrides. */
export interface Adjustment {
  rlaif?: Partial<RlaifConfig>;
  training?: Partial<TrainingConfig>;
}

/** Of a reward model's training: the epochs that are done. */
export const rewardModelEpochsQuery = defineQuery<PreferenceEpoch[]>('epochs');
export const statusQuery = defineQuery<RunStatus>('status');
/** Finish the epoch in progress, then wait. */
export const pauseUpdate = defineUpdate<RunStatus, []>('pause');
export const resumeUpdate = defineUpdate<RunStatus, []>('resume');
/** Finish the epoch in progress, then end the run as completed. */
export const stopUpdate = defineUpdate<RunStatus, []>('stop');
/** Refused, with the reason, where the adjusted settings break the run file's schema. */
export const adjustUpdate = defineUpdate<RunStatus, [Adjustment]>('adjust');

/** From an epoch to its run: a judge stopped it, and why. */
export const judgeStoppedSignal = defineSignal<[string]>('judgeStopped');
/** From a run to its epoch: ask the judge again. With how often the run was resumed so far. */
export const goOnSignal = defineSignal<[number]>('goOn');

/** Id of an epoch's child workflow: `<run>/<phase>/epoch-08`. */
export function epochWorkflowId(run: string, phase: string, epoch: number): string {
  return `${run}/${phase}/epoch-${String(epoch).padStart(2, '0')}`;
}
