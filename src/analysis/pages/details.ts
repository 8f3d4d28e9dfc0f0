// The live panel of a run in Temporal's Web UI, as short Markdown: its state, its epochs, and the
// held-out reward so far.

import type { Refit } from '../../records/metrics.ts';
import { numberOf } from '../diagnosis/epoch-facts.ts';
import { arrow, signedPercent, sparkline } from '../format.ts';
import type { EpochRecord } from '../metrics/history.ts';
import { epochColumns, epochRow } from './epoch-table.ts';
import { bulletList } from './markdown.ts';
import { describeRefit } from './refits.ts';

/** The part of a run's status that the panel shows; RunStatus is one. */
export interface Standing {
  state: string;
  phase: string | null;
  epoch: number | null;
  firstEpoch: number;
  lastEpoch: number;
  metrics: readonly EpochRecord[];
  /** Why the run ended without completing. */
  failure?: string;
  /** Why the run waits for people; null if it does not. */
  stopped: string | null;
  /** Damaged files that were rebuilt; absent if there were none. */
  remade?: readonly { epoch: number; problem: string }[];
  /** Signals that were ignored, and why. */
  ignored?: readonly string[];
  /** Refits of reward models so far, oldest first. */
  refits?: readonly Refit[];
}

/** Epochs shown: the panel is limited to 20,000 bytes. */
const shownEpochs = 20;
const shownPoints = 60;
const shownProblems = 5;
const shownRefits = 10;

/** The columns that fit; the report has all. */
const shownColumns = ['epoch', 'phase', 'held-out', 'pass', 'reward', 'best-of-N', 'KL'];

/** The panel's Markdown. */
export function renderDetails(standing: Standing): string {
  const { metrics, refits = [] } = standing;
  const shown = metrics.slice(-shownEpochs);
  const hidden = metrics.length - shown.length;
  const parts = [
    heading(standing),
    ...(standing.failure === undefined ? [] : [`**Not completed.** ${standing.failure}`]),
    ...(standing.stopped === null ? [] : [`**Paused.** ${standing.stopped}`]),
    ...(standing.ignored ?? []).map((note) => `**Ignored** a ${note}`),
    ...(standing.remade ?? [])
      .slice(-shownProblems)
      .map(({ epoch, problem }) => `Epoch ${epoch} was rerun: ${problem}`),
    ...trend(metrics),
    ...(refits.length > 0 ? [bulletList(refits.slice(-shownRefits).map(describeRefit))] : []),
    ...(hidden > 0 ? [`_${hidden} earlier epochs are in metrics.jsonl._`] : []),
    ...(shown.length > 0 ? [epochBlock(shown)] : []),
  ];
  return parts.join('\n\n');
}

/** A block of aligned text, because the panel does not render Markdown tables. */
function epochBlock(lines: readonly EpochRecord[]): string {
  const rows = [epochColumns, ...lines.map(epochRow)].map((row) =>
    shownColumns.map((title) => row[epochColumns.indexOf(title)] ?? ''),
  );
  const widths = shownColumns.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const cell = (text: string, i: number) =>
    shownColumns[i] === 'phase' ? text.padEnd(widths[i]!) : text.padStart(widths[i]!);
  return ['```', ...rows.map((row) => row.map(cell).join('  ')), '```'].join('\n');
}

function heading({ state, phase, epoch, firstEpoch, lastEpoch }: Standing): string {
  const where = epoch === null ? '' : `, epoch **${epoch}** of ${firstEpoch}–${lastEpoch}`;
  return `**${phase ?? 'start'}**${where} · ${state}`;
}

function trend(metrics: readonly EpochRecord[]): string[] {
  const heldOut = metrics.map((line) => numberOf(line, 'eval/reward'));
  const known = heldOut.filter((value) => value !== undefined);
  const [first, last] = [known[0], known.at(-1)];
  if (known.length < 2 || first === undefined || last === undefined) return [];
  const gain = first === 0 ? '' : ` (${signedPercent((100 * (last - first)) / first)})`;
  const line = sparkline(heldOut.slice(-shownPoints));
  return [`Held-out reward ${arrow(first, last, 3)}${gain} \`${line}\``];
}
