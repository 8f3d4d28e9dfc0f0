// What `anneal run` and `anneal status` show of a run: pure functions from its status to lines of
// text. display.ts puts them on the terminal.

import pc from 'picocolors';
import { epochColumns, epochRow } from '../../analysis/pages/epoch-table.ts';
import { describeRefit } from '../../analysis/pages/refits.ts';
import type { EpochMetrics } from '../../records/metrics.ts';
import type { RunStatus } from '../../workflows/messages.ts';
import { tableLines } from '../terminal/table.ts';
import type { StageProgress } from './progress.ts';

/** A run at one moment, as far as it is known. */
export interface Observation {
  status: RunStatus;
  stages: StageProgress[];
  /** A word on what keeps the observer from seeing more, such as a server that is away. */
  notice: string | null;
}

/** The whole picture: heading, a row an epoch, a bar for each stage in progress. */
export function runLines({ status, stages, notice }: Observation, elapsedMs: number): string[] {
  return [
    heading(status, elapsedMs),
    '',
    ...(status.metrics.length > 0 ? [...epochTable(status.metrics), ''] : []),
    ...(status.refits ?? []).map(describeRefit),
    ...stages.map(stageLine),
    ...[...remadeLines(status), status.stopped, notice]
      .filter((word) => word !== null)
      .map(pc.yellow),
  ];
}

/** The table of all epochs, the start line first. */
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

/** A run as lines for a log: what each observation brings that the one before did not. */
export class NewsFeed {
  #epochs = 0;
  #remade = 0;
  #refits = 0;
  #stages = new Set<string>();
  #notice: string | null = null;
  #state: RunStatus['state'] | null = null;

  /** The lines for this observation. */
  next({ status, stages, notice }: Observation): string[] {
    const finished = status.metrics.slice(this.#epochs).map(epochLine);
    const refits = status.refits ?? [];
    const refitted = refits.slice(this.#refits).map(describeRefit);
    const where = placeOf(status);
    const begun = stages
      .map(({ stage }) => `${where}: ${stage}`)
      .filter((line) => !this.#stages.has(line));
    const failing = stages
      .filter(({ failure }) => failure !== null)
      .map(({ stage, failure }) => `${where}: ${stage} is tried again after: ${failure}`)
      .filter((line) => !this.#stages.has(line));
    const told = notice !== null && notice !== this.#notice ? [notice] : [];
    const why = status.stopped === null ? '' : ` (${status.stopped})`;
    const turned = status.state === this.#state ? [] : [`${status.run}: ${status.state}${why}`];
    const remade = remadeLines(status).slice(this.#remade);
    this.#remade = Math.max(this.#remade, status.remade?.length ?? 0);
    this.#epochs = Math.max(this.#epochs, status.metrics.length);
    this.#refits = Math.max(this.#refits, refits.length);
    for (const line of [...begun, ...failing]) this.#stages.add(line);
    this.#notice = notice;
    this.#state = status.state;
    return [...finished, ...remade, ...refitted, ...turned, ...begun, ...failing, ...told];
  }
}

/** `epoch 9 (exploration): reward 0.281, best-of-N 0.562, …`: every number with its name. */
export function epochLine(metrics: EpochMetrics): string {
  const cells = epochRow(metrics).map((cell, index) => `${epochColumns[index]} ${cell}`);
  return `epoch ${metrics.epoch} (${metrics.phase}): ${cells.slice(2).join(', ')}`;
}

/** What was damaged, and that it was made again. */
function remadeLines({ remade = [] }: RunStatus): string[] {
  return remade.map(({ epoch, problem }) => `epoch ${epoch} was made again: ${problem}`);
}

function placeOf({ epoch, phase }: RunStatus): string {
  return epoch === null ? 'start' : `epoch ${epoch} (${phase})`;
}
