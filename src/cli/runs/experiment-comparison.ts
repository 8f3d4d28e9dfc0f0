// Writes the comparison of an experiment's variants into its folder: a table, a figure and numbers.

import { experimentFigure } from '../../analysis/pages/experiment-figure.ts';
import {
  compareVariants,
  type ExperimentResults,
  experimentTable,
  partsTable,
} from '../../analysis/pages/experiment-table.ts';
import { openStore } from '../../artifacts/open-store.ts';
import type { Experiment } from '../../config/schema/experiment-file.ts';
import { latestFolder } from './experiment-runs.ts';
import { folderOf, readRunFolder, typedPath } from './run-folder.ts';

/** @returns the lines to print */
export async function writeComparison(experiment: Experiment, runsDir: string): Promise<string[]> {
  const results: ExperimentResults = { variants: experiment.variants, runs: [] };
  for (const run of experiment.runs) {
    const { metrics } = await readRunFolder(await latestFolder(run, runsDir), runsDir);
    results.runs.push({ variant: run.variant, seed: run.seed, metrics });
  }
  const comparison = compareVariants(results);
  const table = experimentTable(comparison);
  const folder = folderOf(runsDir, experiment.name);
  const store = openStore(folder);
  await store.write(
    'experiment.md',
    [
      `# ${experiment.name}`,
      table,
      '![held-out reward](experiment.svg)',
      '## Criteria and other metrics',
      `${partsTable(comparison)}\n`,
    ].join('\n\n'),
  );
  await store.write('experiment.json', `${JSON.stringify(comparison, null, 2)}\n`);
  await store.write('experiment.svg', experimentFigure(comparison));
  return [table, '', `table, figure and numbers: ${typedPath(folder)}`];
}
