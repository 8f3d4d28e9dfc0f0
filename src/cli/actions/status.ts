// Shows how far a run is: from the live run if it answers, else from its folder.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkflowExecutionStatusName } from '@temporalio/client';
import { successMetrics } from '../../analysis/diagnosis/success.ts';
import { layout } from '../../artifacts/layout.ts';
import {
  describeRun,
  endOf,
  isOpen,
  type Observation,
  observeRun,
  outcomesOf,
  type RunEnd,
  workflowTaskProblem,
} from '../../client/run-state.ts';
import { defaultTargets } from '../../config/schema/success.ts';
import { AnnealError } from '../../errors.ts';
import type { EpochMetrics } from '../../records/metrics.ts';
import type { ExperimentOutcome } from '../../workflows/messages.ts';
import { epochTable, runLines } from '../live/run-screen.ts';
import { isServiceError } from '../live/watch-run.ts';
import { findRunFolder, folderOf, readConfig, typedPath } from '../runs/run-folder.ts';
import { isServerUp, type Place, webPageOf, withLiveTemporal } from '../services/temporal.ts';
import { printJson, printLines } from '../terminal/output.ts';

/** What is known about a run. */
interface Standing {
  run: string;
  /** Null without a server, or without such a workflow. */
  execution: WorkflowExecutionStatusName | null;
  webPage: string | null;
  /** How the run ended; null if it has not, or that is unknown. */
  end: RunEnd | null;
  /** How the runs of an experiment ended; null if it is none. */
  outcomes: ExperimentOutcome[] | null;
  /** Null if no worker answers for the run. */
  live: Observation | null;
  /** Why no more is known, such as a server that does not answer; null if nothing is wrong. */
  problem: string | null;
  elapsedMs: number;
}

export async function showStatus(
  run: string,
  { json, ...place }: Place & { json?: boolean | undefined },
): Promise<void> {
  const standing = await standingOf(run, place);
  const folder = folderOf(place.runsDir, run);
  const written = (await findRunFolder(folder))?.metrics;
  if (!standing.execution && !written) throw unknownRun(run, place.runsDir);
  const metrics = standing.live?.status.metrics ?? written ?? [];
  const success = (await readConfig(folder))?.success ?? defaultTargets;
  const damaged = existsSync(join(folder, layout.damage));
  if (json) {
    const last = metrics.at(-1);
    const { live, end, outcomes, ...known } = standing;
    const now = live ? { ...live.status, stages: live.stages } : { state: null, ...end };
    const targets = last ? successMetrics(last, success) : [];
    const facts = { folder: typedPath(folder), damaged, metrics, success: targets };
    printJson({ ...known, ...now, ...facts, ...(outcomes && { runs: outcomes }) });
  } else printLines(statusLines(standing, metrics, typedPath(folder), damaged));
}

async function standingOf(run: string, place: Place): Promise<Standing> {
  const unknown = {
    run,
    execution: null,
    webPage: null,
    end: null,
    outcomes: null,
    live: null,
    problem: 'no running server knows this run',
    elapsedMs: 0,
  };
  if (!(await isServerUp(place.runsDir))) return unknown;
  return askServer(run, place, unknown).catch((error) => {
    if (!(error instanceof AnnealError && error.kind === 'NoServer') && !isServiceError(error))
      throw error;
    return { ...unknown, problem: `the Temporal server does not answer: ${error.message}` };
  });
}

function askServer(run: string, place: Place, unknown: Standing): Promise<Standing> {
  return withLiveTemporal(place, async ({ client, server }) => {
    const execution = await describeRun(client, run);
    if (!execution) return unknown;
    const config = await readConfig(folderOf(place.runsDir, run));
    const end = execution.closeTime ?? new Date();
    // Only a worker can answer, and the run may be waiting for one.
    const live = await observeRun(client, run, config).catch(() => null);
    const waiting = isOpen(execution.state) && !live;
    return {
      run,
      execution: execution.state,
      webPage: webPageOf(server, run),
      end: await endOf(client, run, execution),
      outcomes: await outcomesOf(client, run, execution),
      live,
      problem: waiting
        ? ((await workflowTaskProblem(client, run)) ?? 'waiting for a worker')
        : null,
      elapsedMs: Math.max(0, end.getTime() - execution.startTime.getTime()),
    };
  });
}

function statusLines(
  { run, execution, webPage, end, outcomes, live, problem, elapsedMs }: Standing,
  metrics: readonly EpochMetrics[],
  folder: string,
  damaged: boolean,
): string[] {
  const known = end?.state ?? execution?.toLowerCase();
  const state = [known?.replace('_', ' '), problem].filter(Boolean).join(', ');
  return [
    ...(live ? runLines(live, elapsedMs) : [run, '', ...epochTable(metrics), '']),
    `state   ${state}${end?.failure ? `: ${end.failure}` : ''}`,
    ...(outcomes ?? []).flatMap(({ id, failure }) => (failure ? `failed  ${id}: ${failure}` : [])),
    `folder  ${folder}`,
    ...(damaged
      ? [`damage  some files were damaged or missing; see ${folder}/${layout.damage}`]
      : []),
    ...(webPage ? [`Web UI  ${webPage}`] : []),
  ];
}

function unknownRun(run: string, runsDir: string): AnnealError {
  return new AnnealError(
    'InvalidData',
    `expected a run, found none named '${run}' on the server or in ${runsDir}. ` +
      'If it is in another folder of runs, pass --runs-dir.',
  );
}
