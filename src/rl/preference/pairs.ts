// Makes preference pairs from scored samples: a better and a worse program of the same group.

import { permutation, uniforms } from '../../engine/sampling/random.ts';
import type { PreferencePair } from '../../records/prompts.ts';
import type { ScoredRollout } from '../../records/rollouts.ts';

export interface PairSettings {
  /** Maximum number of pairs of one group. */
  perGroup: number;
  /** Minimum difference of rewards, over 0. */
  minDifference: number;
  /** Also take samples that do not parse, which a reward's gate scores without a model. */
  includeBroken?: boolean | undefined;
  /** Compare only this reward; by default the sum of all. */
  reward?: string | undefined;
}

/** A sample that can be compared. */
type Judged = ScoredRollout & { value: number };

/**
 * Pairs of an epoch's samples, group by group: the best with the worst, the second best with the
 * second worst and so on, up to `perGroup` pairs with rewards at least `minDifference` apart. Of
 * programs that differ only in formatting and local names, only the first is used. Samples without a
 * reward or that do not parse are left out.
 * @param promptOf returns the text of a prompt by its id
 */
export function preferencePairs(
  samples: readonly ScoredRollout[],
  promptOf: (id: string) => string,
  settings: PairSettings,
): PreferencePair[] {
  const groups = Map.groupBy(samples, ({ promptId }) => promptId);
  return [...groups].flatMap(([id, group]) =>
    opposites(ranked(group, settings), settings).map(([chosen, rejected]) => ({
      id,
      prompt: promptOf(id),
      chosen: chosen.text,
      rejected: rejected.text,
      margin: chosen.value - rejected.value,
    })),
  );
}

/** Distinct programs, best first; equal rewards in sampling order. */
function ranked(
  group: readonly ScoredRollout[],
  { reward, includeBroken }: PairSettings,
): Judged[] {
  const distinct = new Map<string, Judged>();
  for (const sample of group) {
    const value = reward === undefined ? sample.reward : sample.rewards[reward]?.value;
    const program = sample.program ?? sample.text;
    if (value == null || distinct.has(program)) continue;
    if (sample.program !== null || includeBroken) distinct.set(program, { ...sample, value });
  }
  return [...distinct.values()].sort((a, b) => b.value - a.value || a.sample - b.sample);
}

/** The i-th best with the i-th worst. */
function opposites(
  group: readonly Judged[],
  { perGroup, minDifference }: PairSettings,
): [Judged, Judged][] {
  const count = Math.min(perGroup, Math.floor(group.length / 2));
  return Array.from({ length: count }, (_, i): [Judged, Judged] => [
    group[i]!,
    group[group.length - 1 - i]!,
  ]).filter(
    ([chosen, rejected]) =>
      chosen.value - rejected.value >= minDifference && chosen.value > rejected.value,
  );
}

/** The pairs without repetitions, since several epochs may sample the same programs. */
export function distinctPairs(pairs: readonly PreferencePair[]): PreferencePair[] {
  const keyOf = ({ prompt, chosen, rejected }: PreferencePair) =>
    JSON.stringify([prompt, chosen, rejected]);
  return [...new Map(pairs.map((pair) => [keyOf(pair), pair])).values()];
}

/**
 * Splits pairs into some to train on and some to evaluate on, without common prompts. The seed draws
 * the held-out share of the prompts, rounded up.
 * @param prompts the prompts to split; by default those of the pairs, but given if pairs made later
 * must be split the same way
 */
export function splitPairs<T extends Pick<PreferencePair, 'prompt'>>(
  pairs: readonly T[],
  heldOutShare: number,
  seed: number,
  prompts: readonly string[] = [...new Set(pairs.map(({ prompt }) => prompt))],
): { train: T[]; heldOut: T[] } {
  const order = permutation(prompts.length, uniforms(seed, 'held-out pairs'));
  const count = Math.ceil(heldOutShare * prompts.length);
  const apart = new Set(order.slice(0, count).map((i) => prompts[i]!));
  return {
    train: pairs.filter(({ prompt }) => !apart.has(prompt)),
    heldOut: pairs.filter(({ prompt }) => apart.has(prompt)),
  };
}
