// What a run carries from epoch to epoch, and passes on when it continues as new.

import type { RunPlan } from '../activities/contract.ts';
import type { SettingsChange } from '../config/schedule.ts';
import type { EpochMetrics, Refit } from '../records/metrics.ts';
import type { CheckpointRef, ScoredShards } from '../records/refs.ts';
import type { Remade } from './messages.ts';
import type { EpochInput } from './training-epoch.ts';

/** What users have asked of a run. */
export interface Requests {
  paused: boolean;
  stopping: boolean;
}

export interface RunState extends Requests {
  plan: RunPlan;
  policy: CheckpointRef;
  reference: CheckpointRef;
  /** The start line and the latest epochs, oldest first. */
  metrics: readonly EpochMetrics[];
  finishedEpochs: number;
  change: SettingsChange;
  /** Scored shards of the phase's epochs so far; only if the run refits reward models. */
  verdicts: ScoredShards[] | undefined;
  /** Refits of all phases, oldest first. */
  refits: readonly Refit[];
  /** How often users resumed the run after its judge had stopped it. */
  resumes: number;
  /** The epochs that made policy and reference, to rerun if a checkpoint is damaged. */
  origins: readonly { made: CheckpointRef; input: EpochInput }[];
  /** Damage that led to a rerun, latest last. */
  remade: readonly Remade[];
}

type Later = 'verdicts' | 'refits' | 'resumes' | 'origins' | 'remade';
/** A state from any version; earlier ones had fewer fields. */
export type CarriedState = Omit<RunState, Later> & Partial<Pick<RunState, Later>>;

const empty = { verdicts: undefined, refits: [], resumes: 0, origins: [], remade: [] };

/** Fill in the fields that an earlier version did not have. */
export function completeState(carried: CarriedState): RunState {
  return { ...empty, ...carried };
}

/** The state of a run before its first epoch. */
export function startState({ history, verdicts, ...plan }: RunPlan, requests: Requests): RunState {
  const { policy, reference } = plan;
  return {
    ...empty,
    ...requests,
    plan: { ...plan, history: [] },
    policy,
    reference,
    verdicts,
    metrics: history,
    finishedEpochs: 0,
    change: {},
  };
}
