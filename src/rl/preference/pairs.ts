// Preference pairs out of scored samples: within a group, the better program before the worse one.

import { permutation, uniforms } from '../../engine/sampling/random.ts';
import type { PreferencePair } from '../../records/prompts.ts';
import type { ScoredRollout } from '../../records/rollouts.ts';

export interface PairSettings {
  /** Pairs of one group at most. */
  perGroup: number;
  /** Least difference of rewards, over 0. */
  minDifference: number;
  /** Take samples that do not parse too, which a reward's gate judges without a model. */
  includeBroken?: boolean | undefined;
  /** Compare by this reward alone; by the sum of all where there is none. */
  reward?: string | undefined;
}

/** A sample that can be compared. */
type Judged = ScoredRollout & { value: number };

/**
 * Pairs of the samples of one epoch, group by group: the best against the worst, the second best
 * against the second worst and so on, up to `perGroup` and while rewards are `minDifference`
 * apart. Of programs that are the same but for layout and names, the first stands for all; samples
 * without a reward are left out, and so are those that do not parse.
 * @param promptOf the text of a prompt by its id
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

/** Distinct programs, best first; of equals, the first sampled. */
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

/** The pairs without those that were there before: several epochs may sample the same programs. */
export function distinctPairs(pairs: readonly PreferencePair[]): PreferencePair[] {
  const keyOf = ({ prompt, chosen, rejected }: PreferencePair) =>
    JSON.stringify([prompt, chosen, rejected]);
  return [...new Map(pairs.map((pair) => [keyOf(pair), pair])).values()];
}

/**
 * Pairs to train on and pairs to evaluate on, which have no prompt in common: a share of the
 * prompts, rounded up, is drawn from the seed.
 * @param prompts what the share is of; the pairs' own, unless pairs that come later are to be split
 * likewise.
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
