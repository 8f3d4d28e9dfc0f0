// Writes a finished reward model and its report into the folder that its file names.

import { basename, dirname, join, resolve } from 'node:path';
import {
  type PairsSummary,
  renderPreferenceReport,
  type ScoredPair,
  suggestScale,
  summarizePairs,
} from '../../analysis/pages/preference-report.ts';
import { openCheckpoint } from '../../artifacts/checkpoints.ts';
import { writeFileAtomic } from '../../artifacts/local/atomic.ts';
import { createLocalStore } from '../../artifacts/local/store.ts';
import { runActivity } from '../activity.ts';
import { type Dependencies, inputRootsOf, storeOf } from '../dependencies.ts';
import { readRows } from '../samples.ts';
import type { PublishInput } from './contract.ts';

export function publishRewardModelWith(dependencies: Dependencies) {
  return async function publishRewardModel(input: PublishInput): Promise<PairsSummary> {
    const { run, config } = input;
    const store = storeOf(dependencies, run);
    return runActivity(store, {}, async (scope) => {
      const rows = await readRows<ScoredPair>(store, input.scores);
      const report = reportOf(input, rows);
      const out = resolve(config.out);
      inputRootsOf(dependencies).require(out, 'out');
      const parent = createLocalStore(dirname(out));
      const scratch = await parent.scratch(basename(out));
      const model = await openCheckpoint(store, input.model);
      await dependencies.models.makeClassifier({ model, seed: config.seed, out: scratch }, scope);
      await writeFileAtomic(join(scratch, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
      await writeFileAtomic(join(scratch, 'report.md'), renderPreferenceReport(report));
      await parent.commitFolder(scratch, basename(out));
      return report.held_out;
    });
  };
}

function reportOf({ run, config, trained, epochs }: PublishInput, rows: readonly ScoredPair[]) {
  return {
    name: run,
    base: config.base,
    trained: { pairs: trained.pairs, too_long: trained.tooLong },
    epochs,
    held_out: summarizePairs(rows),
    suggested: suggestScale(rows),
  };
}
