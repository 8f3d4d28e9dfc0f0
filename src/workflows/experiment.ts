// An experiment: many runs as child workflows, a few at a time. A failed run does not affect the
// others.

import { executeChild, isCancellation, setCurrentDetails } from '@temporalio/workflow';
import { mapConcurrently } from '../collections/map-concurrently.ts';
import { ignoreUnknownSignals } from './ignored-signals.ts';
import type { ExperimentInput, ExperimentOutcome } from './messages.ts';
import { shortSummary } from './metadata.ts';
import { rootCause } from './root-cause.ts';
import { trainingRun } from './training-run.ts';

/** Run every run of the list. @returns how each ended, in the order of the list. */
export async function experiment({
  runs,
  concurrency,
}: ExperimentInput): Promise<ExperimentOutcome[]> {
  ignoreUnknownSignals('an experiment');
  let ended = 0;
  let failed = 0;
  return mapConcurrently(runs, concurrency, async (run) => {
    const outcome = await runOne(run);
    ended++;
    if (outcome.failure !== null) failed++;
    setCurrentDetails(`${ended} of ${runs.length} runs have ended, ${failed} of them failed.`);
    return outcome;
  });
}

async function runOne({ id, file }: ExperimentInput['runs'][number]): Promise<ExperimentOutcome> {
  try {
    await executeChild(trainingRun, {
      workflowId: id,
      args: [file],
      staticSummary: shortSummary(id),
    });
    return { id, failure: null };
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { id, failure: rootCause(error) };
  }
}
