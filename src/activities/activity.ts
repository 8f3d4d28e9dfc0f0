// The frame around every activity: heartbeats from a timer while it runs, cancellation handed on
// as a signal, errors named for the server, and a line in the run's timings when it is done.

import { Context } from '@temporalio/activity';
import { layout } from '../artifacts/layout.ts';
import { isDamaged } from '../artifacts/local/store.ts';
import type { Store } from '../artifacts/store.ts';
import type { Progress } from '../engine/inference/jobs.ts';
import type { Split } from '../records/metrics.ts';
import { differencesFrom, noteDifferences } from './environment.ts';
import { failuresOf, toFailure } from './failure.ts';
import type { HeartbeatDetails } from './task-queues.ts';

const heartbeatIntervalMs = 1000;

/** What the body of an activity is given. */
export interface Job {
  /** Aborts when the activity is cancelled, timed out, or its worker shuts down. */
  signal: AbortSignal;
  /** The last progress told goes out with the next heartbeat. */
  onProgress: (progress: Progress) => void;
  /** More for the activity's line in the timings. */
  record: (more: Record<string, number>) => void;
  /** Say of a file that it was damaged or gone: in the worker's log and in the run's folder. */
  tellDamage: (problem: string) => Promise<void>;
}

/** What an activity works on, for its line in the timings and for those who watch it. */
export interface JobLabel {
  /** The stage that people see; none for activities that are over in a moment. */
  stage?: HeartbeatDetails['stage'];
  epoch?: number;
  split?: Split;
  shard?: number;
}

/** Run the body of an activity. @throws what `toFailure` makes of the body's error. */
export async function runJob<T>(
  store: Store,
  { stage, ...label }: JobLabel,
  body: (job: Job) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  const signal = context.cancellationSignal;
  const started = { at: new Date(), ms: performance.now() };
  let progress: Progress = { done: 0, total: 0, unit: '' };
  const recorded: Record<string, number> = {};
  const beat = () =>
    context.heartbeat(stage && ({ stage, ...progress } satisfies HeartbeatDetails));
  const timer = setInterval(beat, heartbeatIntervalMs);
  beat();
  /** The work does not depend on its log: a line that cannot be written is the worker's to tell. */
  const note = (path: string, line: string) =>
    store.append(path, line).catch((error) => context.log.warn('a line is lost', { line, error }));
  const tellDamage = async (problem: string) => {
    context.log.warn('found a damaged file', { problem });
    await note(layout.damage, damageLine(label, problem));
  };
  try {
    if (stage && label.epoch !== undefined)
      // The work does not depend on the manifest either.
      await tellConditions(store, label.epoch).catch((error) => {
        if (!isDamaged(error)) throw error;
        return tellDamage(error.message);
      });
    const result = await body({
      signal,
      onProgress: ({ done, total, unit, note }) => {
        progress = { done, total, unit, ...(note !== undefined && { note }) };
      },
      record: (more) => void Object.assign(recorded, more),
      tellDamage,
    });
    await note(layout.timings, timingLine({ ...label, ...recorded }, started));
    return result;
  } catch (error) {
    if (isDamaged(error)) await tellDamage(error.message);
    throw toFailure(error, signal, failuresOf(activityName()));
  } finally {
    clearInterval(timer);
  }
}

/** Work on a run's bits, here and now, may be done under other conditions than it began with. */
async function tellConditions(store: Store, epoch: number): Promise<void> {
  const differences = await differencesFrom(await store.readDocument(layout.manifest));
  if (differences.length === 0) return;
  Context.current().log.warn('the same bits are not promised', { differences });
  await noteDifferences(store, epoch, differences);
}

/** The same for every attempt of an activity, and for no other. */
function activityName(): string {
  const { workflowExecution, activityId } = Context.current().info;
  return [workflowExecution?.workflowId, workflowExecution?.runId, activityId].join(' ');
}

/** Durations are the monotonic clock's: the other may be set while an activity runs. */
function timingLine(label: object, started: { at: Date; ms: number }): string {
  const { activityType: activity, attempt } = Context.current().info;
  const ms = Math.round(performance.now() - started.ms);
  return JSON.stringify({ activity, ...label, attempt, started: started.at, ms });
}

function damageLine(label: JobLabel, problem: string): string {
  const { activityType: activity, attempt } = Context.current().info;
  return JSON.stringify({ found: new Date(), activity, ...label, attempt, problem });
}
