// How a run ended, and what is said of it.

import {
  type Client,
  type WorkflowExecutionStatusName,
  WorkflowFailedError,
} from '@temporalio/client';
import { successMetrics } from '../../analysis/diagnosis/success.ts';
import { layout } from '../../artifacts/layout.ts';
import type { RunResult } from '../../workflows/messages.ts';
import { findRunFolder, folderOf, readConfig, typedPath } from '../runs/run-folder.ts';
import { printJson } from '../terminal/output.ts';
import { queryStatus } from './observe.ts';
import { defaultTargets, type Finished, summaryLines } from './summary.ts';

export interface OutcomeOptions {
  runsDir: string;
  /** Print one JSON document on stdout too. */
  json?: boolean | undefined;
}

/**
 * The lines to close a completed run with.
 * @throws Error with the workflow's own message where the run did not complete.
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
    const reason = error.cause?.message ?? error.message;
    const message = `run '${run}' ended as ${state.toLowerCase()}: ${reason}`;
    throw new Error(message, { cause: error });
  }
}

/** From the run's folder; from the run itself where its folder is on another machine. */
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
