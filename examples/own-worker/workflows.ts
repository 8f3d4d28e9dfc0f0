// The workflows that the worker serves: Anneal's, and one of your own that starts a run and then
// calls your activity.

import { executeChild, proxyActivities } from '@temporalio/workflow';
import type { RunFile } from 'anneal-rl';
import { trainingRun } from 'anneal-rl/workflows';
import type * as activities from './activities.ts';

export * from 'anneal-rl/workflows';

const { announce } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });

/** Run a run file, then announce the result. @returns the announcement */
export async function trainAndAnnounce(file: RunFile): Promise<string> {
  const result = await executeChild(trainingRun, { workflowId: file.name!, args: [file] });
  return announce(result);
}
