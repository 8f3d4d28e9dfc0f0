// Summarises the scored samples of one split.

import { type SampleSummary, summarizeSamples } from '../analysis/metrics/sample-summary.ts';
import { runActivity } from './activity.ts';
import type { EvaluateInput } from './contract.ts';
import { type Dependencies, storeOf } from './dependencies.ts';
import { readScored } from './samples.ts';

export function evaluateWith(dependencies: Dependencies) {
  return async function evaluate({ run, epoch, scored }: EvaluateInput): Promise<SampleSummary> {
    const store = storeOf(dependencies, run);
    return runActivity(store, { epoch }, async () =>
      summarizeSamples(await readScored(store, scored)),
    );
  };
}
