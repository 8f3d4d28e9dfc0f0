// Runs the body of every activity: heartbeats from a timer, cancellation as a signal, failures in
// the form that the server needs, and a line in the run's timings at the end.

import { Context } from '@temporalio/activity';
import { layout } from '../artifacts/layout.ts';
import { isDamaged } from '../artifacts/local/store.ts';
import type { Store } from '../artifacts/store.ts';
import type { Progress } from '../engine/inference/jobs.ts';
import type { Split } from '../records/metrics.ts';
import type { HeartbeatDetails } from './contract.ts';
import { differencesFrom, recordDifferences } from './environment.ts';
import { failuresOf, toFailure } from './failure.ts';

const heartbeatIntervalMs = 1000;

/** What an activity's body gets. */
export interface ActivityScope {
  /** Aborts when the activity is cancelled or times out, or when its worker shuts down. */
  signal: AbortSignal;
  /** Report progress; the next heartbeat carries the latest. */
  onProgress: (progress: Progress) => void;
  /** Add numbers to the activity's line in the timings. */
  record: (more: Record<string, number>) => void;
  /** Report a damaged or missing file in the worker's log and in the run's folder. */
  reportDamage: (problem: string) => Promise<void>;
}

/** What an activity works on, for the timings and for live progress. */
export interface ActivityLabel {
  /** The stage shown to users; short activities have none. */
  stage?: HeartbeatDetails['stage'];
  epoch?: number;
  split?: Split;
  shard?: number;
}

/** Run the body of an activity. @throws the failure that `toFailure` makes of the body's error */
export async function runActivity<T>(
  store: Store,
  { stage, ...label }: ActivityLabel,
  body: (scope: ActivityScope) => Promise<T>,
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
  /** Nothing depends on these logs, so a failed write is only a warning. */
  const note = (path: string, line: string) =>
    store
      .append(path, line)
      .catch((error) => context.log.warn('could not write a log line', { line, error }));
  const reportDamage = async (problem: string) => {
    context.log.warn('found a damaged file', { problem });
    await note(layout.damage, damageLine(label, problem));
  };
  try {
    if (stage && label.epoch !== undefined)
      // Nor does the work depend on the manifest.
      await checkEnvironment(store, label.epoch).catch((error) => {
        if (!isDamaged(error)) throw error;
        return reportDamage(error.message);
      });
    const result = await body({
      signal,
      onProgress: ({ done, total, unit, note }) => {
        progress = { done, total, unit, ...(note !== undefined && { note }) };
      },
      record: (more) => void Object.assign(recorded, more),
      reportDamage,
    });
    await note(layout.timings, timingLine({ ...label, ...recorded }, started));
    return result;
  } catch (error) {
    if (isDamaged(error)) await reportDamage(error.message);
    throw toFailure(error, signal, failuresOf(activityKey()));
  } finally {
    clearInterval(timer);
  }
}

/** Record it if this worker's environment differs from the one that the run started in. */
async function checkEnvironment(store: Store, epoch: number): Promise<void> {
  const differences = await differencesFrom(await store.readText(layout.manifest));
  if (differences.length === 0) return;
  Context.current().log.warn(
    'results may differ in the last bits: this environment is not the one the run started in',
    {
      differences,
    },
  );
  await recordDifferences(store, epoch, differences);
}

/** Identifies an activity across its attempts. */
function activityKey(): string {
  const { workflowExecution, activityId } = Context.current().info;
  return [workflowExecution?.workflowId, workflowExecution?.runId, activityId].join(' ');
}

/** Durations come from the monotonic clock; the system clock may be set while an activity runs. */
function timingLine(label: object, started: { at: Date; ms: number }): string {
  const { activityType: activity, attempt } = Context.current().info;
  const ms = Math.round(performance.now() - started.ms);
  return JSON.stringify({ activity, ...label, attempt, started: started.at, ms });
}

function damageLine(label: ActivityLabel, problem: string): string {
  const { activityType: activity, attempt } = Context.current().info;
  return JSON.stringify({ found: new Date(), activity, ...label, attempt, problem });
}
