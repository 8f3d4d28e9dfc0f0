// The outcome of a run, and the lines to print at its end.

import {
  type Client,
  type WorkflowExecutionStatusName,
  WorkflowFailedError,
} from '@temporalio/client';
import { successMetrics } from '../../analysis/diagnosis/success.ts';
import { layout } from '../../artifacts/layout.ts';
import { queryStatus } from '../../client/run-state.ts';
import { defaultTargets } from '../../config/schema/success.ts';
import type { RunResult } from '../../workflows/messages.ts';
import { rootCause } from '../../workflows/root-cause.ts';
import { findRunFolder, folderOf, readConfig, typedPath } from '../runs/run-folder.ts';
import { printJson } from '../terminal/output.ts';
import { type Finished, summaryLines } from './final-summary.ts';

export interface OutcomeOptions {
  runsDir: string;
  /** Also print the outcome as JSON on stdout. */
  json?: boolean | undefined;
}

/**
 * @returns the last lines to print of a completed run.
 * @throws Error with the workflow's own message if the run did not complete.
 */
export async function concludeRun(
  client: Client,
  run: string,
  state: WorkflowExecutionStatusName,
  { runsDir, json }: OutcomeOptions,
): Promise<string[]> {
  const result = await resultOf(client, run, state);
  const finished = await readFinished(client, runsDir, result);
  if (json) printJson(outcomeOf(finished, result));
  return ['', ...summaryLines(finished)];
}

async function resultOf(
  client: Client,
  run: string,
  state: WorkflowExecutionStatusName,
): Promise<RunResult> {
  try {
    return await client.workflow.getHandle(run).result();
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const message = `run '${run}' ended as ${state.toLowerCase()}: ${rootCause(error.cause)}`;
    throw new Error(message, { cause: error });
  }
}

/** From the run's folder, or from the run itself if the folder is on another machine. */
async function readFinished(
  client: Client,
  runsDir: string,
  { run, checkpoint }: RunResult,
): Promise<Finished> {
  const path = folderOf(runsDir, run);
  const { metrics } = (await findRunFolder(path)) ?? (await queryStatus(client, run));
  const config = await readConfig(path);
  const success = config?.success ?? defaultTargets;
  return { run, folder: typedPath(path), metrics, checkpoint, success, config };
}

function outcomeOf({ folder, metrics, success }: Finished, result: RunResult) {
  const last = metrics.at(-1);
  return {
    ...result,
    state: 'completed',
    folder,
    report: last ? `${folder}/${layout.epochReport(last.epoch)}` : null,
    success: last ? successMetrics(last, success) : [],
    metrics,
  };
}
