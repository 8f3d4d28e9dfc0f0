// The screen of `anneal run` and `anneal status`: pure functions from the state of a run to lines of
// text. run-display.ts writes them to the terminal.

import pc from 'picocolors';
import { epochColumns, epochRow } from '../../analysis/pages/epoch-table.ts';
import { describeRefit } from '../../analysis/pages/refits.ts';
import type { Observation } from '../../client/run-state.ts';
import type { StageProgress } from '../../client/stage-progress.ts';
import type { EpochMetrics } from '../../records/metrics.ts';
import type { RunStatus } from '../../workflows/messages.ts';
import { tableLines } from '../terminal/table.ts';

/** A heading, a row for each epoch, and a bar for each stage in progress. */
export function runLines({ status, stages, notice }: Observation, elapsedMs: number): string[] {
  return [
    heading(status, elapsedMs),
    '',
    ...(status.metrics.length > 0 ? [...epochTable(status.metrics), ''] : []),
    ...(status.refits ?? []).map(describeRefit),
    ...stages.map(stageLine),
    ...[...redoneLines(status), ...ignoredLines(status), status.stopped, notice]
      .filter((line) => line !== null)
      .map(pc.yellow),
  ];
}

/** A table of all epochs, with the metrics before training first. */
export function epochTable(metrics: readonly EpochMetrics[]): string[] {
  const [head, ...rows] = tableLines(epochColumns, metrics.map(epochRow));
  return [pc.bold(head ?? ''), ...rows];
}

/** `two-phase · exploration · epoch 9 of 8–15 · 2m 31s`. */
export function heading(status: RunStatus, elapsedMs: number): string {
  const { run, state, phase, epoch, firstEpoch, lastEpoch } = status;
  const parts = [
    pc.bold(run),
    state === 'running' ? null : state,
    phase,
    epoch === null || epoch < firstEpoch ? null : `epoch ${epoch} of ${firstEpoch}–${lastEpoch}`,
    formatDuration(elapsedMs),
  ];
  return parts.filter((part) => part !== null).join(' · ');
}

/** `generate  ━━━━━━──────  58%  7 of 12 shards  7,900 tokens/s`. */
export function stageLine(stage: StageProgress): string {
  const percent = `${Math.floor(100 * stage.fraction)}%`.padStart(4);
  const rate = stage.rate ? `${formatRate(stage.rate.perSecond)} ${stage.rate.unit}/s` : null;
  const facts = [stage.amount, rate, stage.note].filter((fact) => fact !== null);
  return `${stage.stage.padEnd(17)} ${bar(stage.fraction)} ${percent}  ${facts.join(' · ')}`;
}

const barWidth = 24;

function bar(fraction: number): string {
  const filled = Math.round(barWidth * Math.min(1, Math.max(0, fraction)));
  return pc.cyan('━'.repeat(filled)) + pc.dim('─'.repeat(barWidth - filled));
}

function formatRate(perSecond: number): string {
  return perSecond.toLocaleString('en-US', { maximumFractionDigits: perSecond < 10 ? 1 : 0 });
}

/** `48s`, `2m 31s`, `1h 02m`. */
export function formatDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${twoDigits(seconds % 60)}s`;
  return `${Math.floor(minutes / 60)}h ${twoDigits(minutes % 60)}m`;
}

const twoDigits = (number: number) => String(number).padStart(2, '0');

/** Epochs that were repeated because their files were damaged. */
export function redoneLines({ remade = [] }: RunStatus): string[] {
  return remade.map(({ epoch, problem }) => `epoch ${epoch} was repeated: ${problem}`);
}

/** Signals that the run ignored. */
export function ignoredLines({ ignored = [] }: RunStatus): string[] {
  return ignored.map((note) => `ignored a ${note}`);
}
