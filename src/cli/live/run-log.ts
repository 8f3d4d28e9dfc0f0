// The log of `anneal run` if its output is not a terminal: each line reports something new.

import { epochColumns, epochRow } from '../../analysis/pages/epoch-table.ts';
import { describeRefit } from '../../analysis/pages/refits.ts';
import type { Observation } from '../../client/run-state.ts';
import type { EpochMetrics } from '../../records/metrics.ts';
import type { RunStatus } from '../../workflows/messages.ts';
import { ignoredLines, redoneLines } from './run-screen.ts';

/** Turns successive observations of a run into lines, each thing once. */
export class RunLog {
  #epochs = 0;
  #redone = 0;
  #refits = 0;
  #stageLines = new Set<string>();
  #notice: string | null = null;
  #state: RunStatus['state'] | null = null;

  /** The lines for what is new in this observation. */
  next({ status, stages, notice }: Observation): string[] {
    const place = placeOf(status);
    const started = stages.map(({ stage }) => `${place}: ${stage}`);
    const failing = stages
      .filter(({ failure }) => failure !== null)
      .map(({ stage, failure }) => `${place}: ${stage} is retried after: ${failure}`);
    return [
      ...this.#newEpochs(status),
      ...this.#newRedone(status),
      ...this.#newRefits(status),
      ...this.#newState(status),
      ...this.#newStageLines(started),
      ...this.#newStageLines(failing),
      ...this.#newStageLines(ignoredLines(status)),
      ...this.#newNotice(notice),
    ];
  }

  #newEpochs({ metrics }: RunStatus): string[] {
    const added = metrics.slice(this.#epochs);
    this.#epochs = Math.max(this.#epochs, metrics.length);
    return added.map(epochLine);
  }

  #newRedone(status: RunStatus): string[] {
    const lines = redoneLines(status);
    const added = lines.slice(this.#redone);
    this.#redone = Math.max(this.#redone, lines.length);
    return added;
  }

  #newRefits({ refits = [] }: RunStatus): string[] {
    const added = refits.slice(this.#refits);
    this.#refits = Math.max(this.#refits, refits.length);
    return added.map(describeRefit);
  }

  #newState({ run, state, stopped }: RunStatus): string[] {
    const changed = state !== this.#state;
    this.#state = state;
    return changed ? [`${run}: ${state}${stopped === null ? '' : ` (${stopped})`}`] : [];
  }

  #newStageLines(lines: readonly string[]): string[] {
    const added = lines.filter((line) => !this.#stageLines.has(line));
    for (const line of added) this.#stageLines.add(line);
    return added;
  }

  #newNotice(notice: string | null): string[] {
    const changed = notice !== this.#notice;
    this.#notice = notice;
    return changed && notice !== null ? [notice] : [];
  }
}

/** `epoch 9 (exploration): reward 0.281, best-of-N 0.562, …`. */
export function epochLine(metrics: EpochMetrics): string {
  const cells = epochRow(metrics).map((cell, index) => `${epochColumns[index]} ${cell}`);
  return `epoch ${metrics.epoch} (${metrics.phase}): ${cells.slice(2).join(', ')}`;
}

function placeOf({ epoch, phase }: RunStatus): string {
  return epoch === null ? 'start' : `epoch ${epoch} (${phase})`;
}
