// The final summary of a run: its first and last reward, the success metrics, advice, and the paths
// of its files.

import pc from 'picocolors';
import { diagnose } from '../../analysis/diagnosis/diagnosis.ts';
import { recommend } from '../../analysis/diagnosis/recommendations.ts';
import { type SuccessMetric, successMetrics } from '../../analysis/diagnosis/success.ts';
import { fixed, sparkline } from '../../analysis/format.ts';
import { layout } from '../../artifacts/layout.ts';
import type { RunConfig } from '../../config/schema/run.ts';
import type { SuccessTargets } from '../../config/schema/success.ts';
import type { EpochMetrics } from '../../records/metrics.ts';
import type { CheckpointRef } from '../../records/refs.ts';

/** A finished run's metrics and folder. */
export interface Finished {
  run: string;
  /** As a person types it. */
  folder: string;
  metrics: readonly EpochMetrics[];
  checkpoint: CheckpointRef | null;
  success: SuccessTargets;
  config: RunConfig | null;
}

export function summaryLines(finished: Finished): string[] {
  const { run, folder, metrics, checkpoint, success } = finished;
  const last = metrics.at(-1);
  if (!last) return [];
  return [
    pc.bold('Analysis'),
    ...indented([rewardLine(metrics), ...successMetrics(last, success).map(successLine)]),
    ...indented(adviceLines(finished)),
    '',
    pc.bold('Files'),
    ...indented([
      `report      ${folder}/${layout.epochReport(last.epoch)}`,
      `whole run   ${folder}/${layout.runReport}`,
      `metrics     ${folder}/${layout.metrics}`,
      ...(checkpoint ? [`checkpoint  ${folder}/${checkpoint.path}`] : []),
      `print it    anneal report ${run}`,
    ]),
  ];
}

function rewardLine(metrics: readonly EpochMetrics[]): string {
  const values = metrics.map((line) => line['eval/reward'] ?? line.reward);
  const [first, last] = [values[0], values.at(-1)];
  const times = first && last ? ` (×${(last / first).toFixed(2)})` : '';
  return `held-out reward ${fixed(first)} → ${fixed(last)}${times}  ${pc.cyan(sparkline(values))}`;
}

const marks = { met: pc.green('✔'), missed: pc.red('✘'), unknown: pc.dim('–') };

function successLine({ label, target, value, met }: SuccessMetric): string {
  const mark = met === null ? marks.unknown : met ? marks.met : marks.missed;
  return `${mark} ${label} ${fixed(value)}, target ${target}`;
}

function adviceLines({ metrics: history, success, config }: Finished): string[] {
  const epoch = history.at(-1)?.epoch ?? 0;
  const diagnosis = history.length > 1 ? diagnose({ history, epoch, success, config }) : undefined;
  if (!diagnosis) return [];
  return [
    ...diagnosis.issues.map(({ title }) => `${pc.red('issue')}: ${title}`),
    ...recommend(diagnosis).map(({ title }) => `recommended: ${title}`),
  ];
}

const indented = (lines: string[]) => lines.map((line) => `  ${line}`);
