// What came of fitting a reward model further between two phases: whether it was taken, in words
// and in the numbers of an epoch's line. Pure.

import type { Refit } from '../../records/metrics.ts';
import { absent, fixed } from '../pages/format.ts';
import { markdownTable } from '../pages/markdown.ts';

/** A refitted model is taken where it puts at least as many held-out pairs in the right order. */
export function isAtLeastAsGood(before: number | null, after: number | null): boolean {
  return before !== null && after !== null && after >= before;
}

/** To a tenth, since a pair more or less decides. */
function percent(accuracy: number | null): string {
  return accuracy === null ? absent : `${fixed(100 * accuracy, 1)}%`;
}

/** A refit in a line for people. */
export function describeRefit(refit: Refit): string {
  const { reward, epoch, pairs, heldOutPairs, accuracyBefore, accuracyAfter, inForce } = refit;
  const outcome = inForce ? 'refitted' : 'kept as it was';
  const reason =
    accuracyBefore === null
      ? `too few pairs, ${pairs} to train on and ${heldOutPairs} held out`
      : `${percent(accuracyBefore)} → ${percent(accuracyAfter)} of ${heldOutPairs} held-out pairs in the right order after training on ${pairs}`;
  return `reward model '${reward}' ${outcome} before epoch ${epoch}: ${reason}`;
}

const numbers = {
  refit_pairs: ({ pairs }: Refit) => pairs,
  refit_held_out_pairs: ({ heldOutPairs }: Refit) => heldOutPairs,
  refit_accuracy_before: ({ accuracyBefore }: Refit) => accuracyBefore,
  refit_accuracy_after: ({ accuracyAfter }: Refit) => accuracyAfter,
  refit_in_force: ({ inForce }: Refit) => Number(inForce),
};

/** The numbers of refits in the line of the epoch that comes after them: `rewards/{name}/refit_…`. */
export function refitMetrics(refits: readonly Refit[]): Record<`rewards/${string}`, number | null> {
  return Object.fromEntries(
    refits.flatMap((refit) =>
      Object.entries(numbers).map(([key, of]) => [`rewards/${refit.reward}/${key}`, of(refit)]),
    ),
  );
}

/** The refits that an epoch's line tells of. */
function refitsOf(line: { readonly epoch: number }): Refit[] {
  const values = line as Record<string, number | null | undefined>;
  const names = Object.keys(line).flatMap(
    (key) => /^rewards\/(.*)\/refit_in_force$/.exec(key)?.slice(1) ?? [],
  );
  return names.map((reward) => {
    const value = (key: keyof typeof numbers) => values[`rewards/${reward}/${key}`] ?? null;
    return {
      ...{ reward, epoch: line.epoch },
      pairs: value('refit_pairs') ?? 0,
      heldOutPairs: value('refit_held_out_pairs') ?? 0,
      accuracyBefore: value('refit_accuracy_before'),
      accuracyAfter: value('refit_accuracy_after'),
      inForce: value('refit_in_force') === 1,
    };
  });
}

/** The refits of a run as a table; nothing where there were none. */
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
      refit.inForce ? 'refitted' : 'as before',
    ]);
  if (rows.length === 0) return '';
  return markdownTable(
    ['Reward', 'Before Epoch', 'Pairs', 'Held Out', 'Accuracy Before', 'After', 'In Force'],
    rows,
  );
}
