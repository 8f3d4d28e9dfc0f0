// An experiment: many runs as child workflows, a few at a time. One that fails leaves the others
// alone.

import { executeChild, isCancellation, setCurrentDetails } from '@temporalio/workflow';
import { plainFailure } from './failures.ts';
import type { ExperimentInput, ExperimentOutcome } from './messages.ts';
import { trainingRun } from './training-run.ts';

/** Run every run of the list. @returns how each ended, in the order of the list. */
export async function experiment({
  runs,
  concurrency,
}: ExperimentInput): Promise<ExperimentOutcome[]> {
  const outcomes: ExperimentOutcome[] = new Array(runs.length);
  let next = 0;
  let ended = 0;
  await Promise.all(Array.from({ length: Math.min(concurrency, runs.length) }, lane));
  return outcomes;

  /** One run after the other, whichever is next. */
  async function lane(): Promise<void> {
    while (next < runs.length) {
      const place = next++;
      outcomes[place] = await runOne(runs[place]!);
      ended++;
      const failed = outcomes.filter((outcome) => outcome?.failure !== null).length;
      setCurrentDetails(`${ended} of ${runs.length} runs have ended, ${failed} of them failed.`);
    }
  }
}

async function runOne({ id, file }: ExperimentInput['runs'][number]): Promise<ExperimentOutcome> {
  try {
    await executeChild(trainingRun, { workflowId: id, args: [file], staticSummary: id });
    return { id, failure: null };
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { id, failure: (plainFailure(error) as Error).message };
  }
}
