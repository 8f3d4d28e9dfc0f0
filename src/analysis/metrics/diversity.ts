// How different the completions of one prompt are from each other: by whole text, by the program
// that it is, and by the token trigrams they share.

import type { Rollout, ScoredRollout } from '../../records/rollouts.ts';
import { mean } from './statistics.ts';

/** Share of completions that are unique in their group once trimmed; null for an empty group. */
export function uniqueShare(group: readonly Rollout[]): number | null {
  if (group.length === 0) return null;
  return new Set(group.map(({ text }) => text.trim())).size / group.length;
}

/**
 * Share of programs in the group that are distinct once layout, comments and local names are left
 * out; what does not parse goes by its trimmed text. Null for an empty group, and for one that
 * was scored without naming its programs.
 */
export function distinctPrograms(group: readonly ScoredRollout[]): number | null {
  if (group.length === 0 || group.some(({ program }) => program === undefined)) return null;
  return new Set(group.map(({ program, text }) => program ?? text.trim())).size / group.length;
}

/**
 * Mean over all pairs of the group of the Jaccard distance between their sets of token trigrams,
 * 1 - |A ∩ B| / |A ∪ B|: 0 for equal completions, 1 for completions that share no three tokens in
 * a row. Null for a group of fewer than two.
 */
export function meanPairwiseDistance(group: readonly Rollout[]): number | null {
  const grams = group.map(({ tokens }) => trigrams(tokens));
  return mean(grams.flatMap((a, i) => grams.slice(i + 1).map((b) => jaccardDistance(a, b))));
}

/** A completion of fewer than three tokens is one gram, whole. */
function trigrams(tokens: readonly number[]): Set<string> {
  const starts = Math.max(1, tokens.length - 2);
  return new Set(Array.from({ length: starts }, (_, i) => tokens.slice(i, i + 3).join(' ')));
}

function jaccardDistance(a: Set<string>, b: Set<string>): number {
  const shared = [...a].filter((gram) => b.has(gram)).length;
  return 1 - shared / (a.size + b.size - shared);
}
