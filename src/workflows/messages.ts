// The messages of a live run and their answers. Workflows and all of their clients import this.

import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { PreferenceEpoch } from '../analysis/pages/preference-report.ts';
import type { RlaifConfig } from '../config/schema/rlaif.ts';
import type { TrainingConfig } from '../config/schema/training.ts';
import type { EpochMetrics, Refit } from '../records/metrics.ts';
import type { CheckpointRef } from '../records/refs.ts';

/** How a run ended. The server alone knows of a termination and of a time limit. */
export type EndState = 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed_out';

/** The status of a run, as `anneal status` and the live table show it. */
export interface RunStatus {
  run: string;
  state: 'preparing' | 'running' | 'paused' | 'stopping' | EndState;
  phase: string | null;
  epoch: number | null;
  firstEpoch: number;
  lastEpoch: number;
  /** Workflow id of the current epoch. */
  epochWorkflowId: string | null;
  /** The start line and every finished epoch, oldest first. */
  metrics: readonly EpochMetrics[];
  checkpoint: CheckpointRef | null;
  /** Why the run ended without completing; absent if it did not. */
  failure?: string;
  /** Why a judge stopped the run, which waits to be resumed; null if none did. */
  stopped: string | null;
  /** Damage that led to a rerun, latest last. Workers of earlier versions leave it out if empty. */
  remade?: readonly Remade[];
  /**
   * Refits of reward models so far, oldest first; workers of earlier versions leave them out if
   * empty.
   */
  refits?: readonly Refit[];
  /** Signals that were ignored, and why, latest last; absent if there were none. */
  ignored?: readonly string[];
}

/** A damaged or missing file, for which its epoch was rerun. */
export interface Remade {
  epoch: number;
  problem: string;
}

/** The result of a finished run. */
export interface RunResult {
  run: string;
  checkpoint: CheckpointRef;
  /** Number of finished epochs, without the start line. */
  epochs: number;
  /** Null if the run was stopped before the start was measured. */
  evalRewardAtStart: number | null;
  evalRewardAtEnd: number | null;
  stoppedEarly: boolean;
}

/** The result of a finished reward model training. */
export interface RewardModelResult {
  run: string;
  /** The folder with the model. */
  out: string;
  /** Share of held-out pairs in the right order. */
  accuracy: number | null;
  epochs: PreferenceEpoch[];
}

/** Runs to do, a few at a time. */
export interface ExperimentInput {
  runs: { id: string; file: unknown }[];
  concurrency: number;
}

/** How a run of an experiment ended. */
export interface ExperimentOutcome {
  id: string;
  /** Why it failed; null if it completed. */
  failure: string | null;
}

/** Changes from the next epoch on, on top of the phase's own overrides. */
export interface Adjustment {
  rlaif?: Partial<RlaifConfig>;
  training?: Partial<TrainingConfig>;
}

/** The finished epochs of a reward model training. */
export const rewardModelEpochsQuery = defineQuery<PreferenceEpoch[]>('epochs');
export const statusQuery = defineQuery<RunStatus>('status');
/** Finish the current epoch, then wait. */
export const pauseUpdate = defineUpdate<RunStatus, []>('pause');
export const resumeUpdate = defineUpdate<RunStatus, []>('resume');
/** Finish the current epoch, then complete the run. */
export const stopUpdate = defineUpdate<RunStatus, []>('stop');
/** Rejected, with the reason, if the adjusted settings break the run file's schema. */
export const adjustUpdate = defineUpdate<RunStatus, [Adjustment]>('adjust');

/** From an epoch to its run: a judge stopped, with the reason. */
export const judgeStoppedSignal = defineSignal<[string]>('judgeStopped');
/**
 * From a run to its epoch: ask the judge again. Carries how often the run has been resumed.
 * Histories have the signal under its original name.
 */
export const retryJudgeSignal = defineSignal<[number]>('goOn');
/** From a run to its epoch: the run was stopped, so do not wait for the judge. */
export const endJudgeSignal = defineSignal('endJudge');

/** Id of an epoch's child workflow: `<run>/<phase>/epoch-08`. */
export function epochWorkflowId(run: string, phase: string, epoch: number): string {
  return `${run}/${phase}/epoch-${String(epoch).padStart(2, '0')}`;
}
