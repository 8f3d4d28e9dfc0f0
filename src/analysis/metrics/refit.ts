// Refits of reward models between phases: when one is accepted, and its metrics in an epoch's line.

import type { Refit } from '../../records/metrics.ts';

/** A refitted model is accepted if it orders at least as many held-out pairs correctly. */
export function isAtLeastAsGood(before: number | null, after: number | null): boolean {
  return before !== null && after !== null && after >= before;
}

const numbers = {
  refit_pairs: ({ pairs }: Refit) => pairs,
  refit_held_out_pairs: ({ heldOutPairs }: Refit) => heldOutPairs,
  refit_accuracy_before: ({ accuracyBefore }: Refit) => accuracyBefore,
  refit_accuracy_after: ({ accuracyAfter }: Refit) => accuracyAfter,
  refit_in_force: ({ inForce }: Refit) => Number(inForce),
};

/** Metrics of refits in the line of the epoch after them: `rewards/{name}/refit_…`. */
export function refitMetrics(refits: readonly Refit[]): Record<`rewards/${string}`, number | null> {
  return Object.fromEntries(
    refits.flatMap((refit) =>
      Object.entries(numbers).map(([key, of]) => [`rewards/${refit.reward}/${key}`, of(refit)]),
    ),
  );
}

/** The refits recorded in an epoch's line. */
export function refitsOf(line: { readonly epoch: number }): Refit[] {
  const values = line as Record<string, number | null | undefined>;
  const names = Object.keys(line).flatMap(
    (key) => /^rewards\/(.*)\/refit_in_force$/.exec(key)?.slice(1) ?? [],
  );
  return names.map((reward) => {
    const value = (key: keyof typeof numbers) => values[`rewards/${reward}/${key}`] ?? null;
    return {
      reward,
      epoch: line.epoch,
      pairs: value('refit_pairs') ?? 0,
      heldOutPairs: value('refit_held_out_pairs') ?? 0,
      accuracyBefore: value('refit_accuracy_before'),
      accuracyAfter: value('refit_accuracy_after'),
      inForce: value('refit_in_force') === 1,
    };
  });
}
