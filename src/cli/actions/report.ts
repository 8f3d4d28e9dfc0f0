// Prints the analysis page of an epoch, or of a run, from the metrics in a folder.

import { diagnose } from '../../analysis/diagnosis/diagnosis.ts';
import { recommend } from '../../analysis/diagnosis/recommendations.ts';
import { successMetrics } from '../../analysis/diagnosis/success.ts';
import { renderEpochReport } from '../../analysis/pages/epoch-report.ts';
import { renderRunReport } from '../../analysis/pages/run-report.ts';
import { defaultTargets } from '../../config/schema/success.ts';
import { AnnealError } from '../../errors.ts';
import { type RunFolder, readRunFolder } from '../runs/run-folder.ts';
import { printJson } from '../terminal/output.ts';

export interface ReportOptions {
  runsDir: string;
  /** The last by default. */
  epoch?: number | undefined;
  /** Print the page of the whole run instead of an epoch's. */
  all?: boolean | undefined;
  json?: boolean | undefined;
}

/** @throws AnnealError InvalidData for a run without epochs, or an epoch that it does not have. */
export async function printReport(runOrFolder: string, options: ReportOptions): Promise<void> {
  const folder = await readRunFolder(runOrFolder, options.runsDir);
  if (folder.metrics.length === 0) throw noEpochs(folder);
  if (options.json) printJson(reportFacts(folder, options.epoch));
  else process.stdout.write(`${reportPage(folder, options).trimEnd()}\n`);
}

function reportPage(folder: RunFolder, { epoch, all }: ReportOptions): string {
  const input = inputOf(folder, epoch);
  return all ? renderRunReport({ ...input, name: folder.name }) : renderEpochReport(input);
}

/** The content of the page as data. @throws AnnealError InvalidData for an unknown epoch. */
function reportFacts(folder: RunFolder, epoch?: number) {
  const input = inputOf(folder, epoch);
  const diagnosis = diagnose(input);
  const line = folder.metrics.find((metrics) => metrics.epoch === input.epoch);
  // Rendering says which epochs the history has.
  if (!diagnosis || !line) throw new AnnealError('InvalidData', renderEpochReport(input));
  const { rows, working, issues, warnings, causes } = diagnosis;
  return {
    run: folder.name,
    epoch: input.epoch,
    comparison: rows,
    working,
    issues,
    warnings,
    causes,
    recommendations: recommend(diagnosis),
    success: successMetrics(line, input.success),
    metrics: folder.metrics,
  };
}

function inputOf({ metrics, config }: RunFolder, epoch = metrics.at(-1)?.epoch ?? 0) {
  return { history: metrics, epoch, success: config?.success ?? defaultTargets, config };
}

function noEpochs({ path }: RunFolder): AnnealError {
  return new AnnealError(
    'InvalidData',
    `${path}: expected the metrics of at least one epoch, found none yet. Wait until the first epoch ends.`,
  );
}
