// Refits of reward models, as a line and as a table.

import type { Refit } from '../../records/metrics.ts';
import { absent, fixed } from '../format.ts';
import { refitsOf } from '../metrics/refit.ts';
import { markdownTable } from './markdown.ts';

/** One decimal, since a single pair decides. */
function percent(accuracy: number | null): string {
  return accuracy === null ? absent : `${fixed(100 * accuracy, 1)}%`;
}

/** A refit in one line. */
export function describeRefit(refit: Refit): string {
  const { reward, epoch, pairs, heldOutPairs, accuracyBefore, accuracyAfter, inForce } = refit;
  const outcome = inForce ? 'refitted' : 'left unchanged';
  const reason =
    accuracyBefore === null
      ? `too few pairs, ${pairs} to train on and ${heldOutPairs} held out`
      : `${percent(accuracyBefore)} → ${percent(accuracyAfter)} of ${heldOutPairs} held-out pairs in the right order after training on ${pairs}`;
  return `reward model '${reward}' ${outcome} before epoch ${epoch}: ${reason}`;
}

/** The refits of a run as a table; empty without refits. */
export function refitTable(history: readonly { readonly epoch: number }[]): string {
  const rows = history
    .flatMap(refitsOf)
    .map((refit) => [
      refit.reward,
      String(refit.epoch),
      String(refit.pairs),
      String(refit.heldOutPairs),
      percent(refit.accuracyBefore),
      percent(refit.accuracyAfter),
      refit.inForce ? 'refitted' : 'unchanged',
    ]);
  if (rows.length === 0) return '';
  return markdownTable(
    ['Reward', 'Before Epoch', 'Pairs', 'Held Out', 'Accuracy Before', 'After', 'Result'],
    rows,
  );
}
