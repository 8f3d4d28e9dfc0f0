// The stages in progress: computed from the pending activities of an epoch's workflow and their
// heartbeats. Pure; run-state.ts asks the server.

import type { HeartbeatDetails } from '../activities/contract.ts';
import { phaseOf, settingsAt, shardCount } from '../config/schedule.ts';
import type { RunConfig } from '../config/schema/run.ts';

/** A scheduled or running activity. */
export interface PendingActivity {
  /** Activity type, such as `generate`. */
  type: string;
  started: boolean;
  /** From 1. */
  attempt: number;
  heartbeat: HeartbeatDetails | null;
  /** Time from the start of this attempt to its last heartbeat. */
  workedMs: number;
  /** Why the previous attempt failed; null in the first. */
  lastFailure: string | null;
}

/** One stage of the epoch in progress. */
export interface StageProgress {
  /** Name to show: `generate`, `score`, `train`; `held-out generate` for held-out prompts. */
  stage: string;
  /** Done so far, in [0, 1]. */
  fraction: number;
  /** Work done, such as `5 of 12 shards` or `7 of 12 steps`. */
  amount: string;
  /** Speed, such as tokens per second; null before the first heartbeat. */
  rate: { perSecond: number; unit: string } | null;
  note: string | null;
  /** Why an attempt failed that is being retried; null if none did. */
  failure: string | null;
}

/**
 * The stages in progress, in the order of an epoch.
 *
 * @param config gives the number of shards; without it, only pending shards are counted.
 * @param epoch null while the starting policy is evaluated.
 */
export function stagesOf(
  pending: readonly PendingActivity[],
  config: RunConfig | null,
  epoch: number | null,
): StageProgress[] {
  const ofType = (type: string) => pending.filter((activity) => activity.type === type);
  const [generate, score, train] = [ofType('generate'), ofType('score'), ofType('train')];
  const heldOut =
    epoch === null || pending.some(({ heartbeat }) => heartbeat?.stage === 'evaluate');
  const left = generate.length + score.length;
  const shards = Math.max(left, config ? shardsOf(config, heldOut ? null : epoch) : 0);
  const label = (stage: string) => (heldOut ? `held-out ${stage}` : stage);
  return [
    ...shardStage(label('generate'), generate, shards, shards - generate.length),
    ...shardStage(label('score'), score, shards, shards - left),
    ...trainStage('train', train),
    ...trainStage('refit', ofType('trainRewardModel')),
    ...failingSteps(pending.filter(({ type }) => !staged.includes(type))),
  ];
}

const staged = ['generate', 'score', 'train', 'trainRewardModel'];

/** Short steps are shown only if they fail. */
function failingSteps(steps: readonly PendingActivity[]): StageProgress[] {
  return steps
    .filter(({ attempt }) => attempt > 1)
    .map((step) => ({
      stage: step.type,
      fraction: 0,
      amount: 'failing',
      rate: null,
      note: noteOf([step]),
      failure: failureOf([step]),
    }));
}

/** Shards of an epoch's training prompts; without an epoch, those of the evaluation. */
function shardsOf(config: RunConfig, epoch: number | null): number {
  const inPhase = epoch !== null && phaseOf(config, epoch) !== undefined;
  const prompts = inPhase
    ? settingsAt(config, epoch).settings.rlaif.prompts_per_epoch
    : config.evaluation.prompts;
  const splits = !inPhase && config.evaluation.greedy ? 2 : 1;
  return splits * shardCount(prompts, config.engine.shard_prompts);
}

function shardStage(
  stage: string,
  group: readonly PendingActivity[],
  shards: number,
  done: number,
): StageProgress[] {
  if (group.length === 0) return [];
  const partial = group.reduce((sum, { heartbeat }) => sum + shareOf(heartbeat), 0);
  return [
    {
      stage,
      fraction: Math.min(1, (done + partial) / shards),
      amount: `${done} of ${shards} shards`,
      rate: rateOf(group),
      note: noteOf(group),
      failure: failureOf(group),
    },
  ];
}

function trainStage(stage: string, group: readonly PendingActivity[]): StageProgress[] {
  if (group.length === 0) return [];
  const report = group[0]?.heartbeat;
  const counted = report && report.total > 0;
  const amount = counted ? `${report.done} of ${report.total} ${report.unit}` : 'starting';
  return [
    {
      stage,
      fraction: shareOf(report ?? null),
      amount,
      rate: rateOf(group),
      note: noteOf(group),
      failure: failureOf(group),
    },
  ];
}

function shareOf(heartbeat: HeartbeatDetails | null): number {
  return heartbeat && heartbeat.total > 0 ? heartbeat.done / heartbeat.total : 0;
}

/** The combined speed of the group's activities. */
function rateOf(group: readonly PendingActivity[]): StageProgress['rate'] {
  const working = group.filter(({ heartbeat, workedMs }) => heartbeat?.done && workedMs > 0);
  const unit = working[0]?.heartbeat?.unit;
  if (!unit) return null;
  const speed = ({ heartbeat, workedMs }: PendingActivity) => (1000 * heartbeat!.done) / workedMs;
  return { perSecond: working.reduce((sum, activity) => sum + speed(activity), 0), unit };
}

const retriedOf = (group: readonly PendingActivity[]) => group.find(({ attempt }) => attempt > 1);

function failureOf(group: readonly PendingActivity[]): string | null {
  const retried = retriedOf(group);
  return retried ? (retried.lastFailure ?? 'a failure') : null;
}

/** A retry matters more to the reader than any other note. */
function noteOf(group: readonly PendingActivity[]): string | null {
  const retried = retriedOf(group);
  if (retried) return `attempt ${retried.attempt} after: ${failureOf(group)}`;
  if (group.every(({ started }) => !started)) return 'waiting for a worker';
  return group.find(({ heartbeat }) => heartbeat?.note)?.heartbeat?.note ?? null;
}
