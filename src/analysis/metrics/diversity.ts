// How much the completions of one prompt differ: by text, by normalised program, and by shared token
// trigrams.

import type { Rollout, ScoredRollout } from '../../records/rollouts.ts';
import { mean } from './statistics.ts';

/** Share of distinct texts in the group, ignoring outer white space; null for an empty group. */
export function uniqueShare(group: readonly Rollout[]): number | null {
  if (group.length === 0) return null;
  return new Set(group.map(({ text }) => text.trim())).size / group.length;
}

/**
 * Share of distinct programs in the group, ignoring layout, comments and local names; a program that
 * does not parse is compared by its text. Null for an empty group, and for samples that were scored
 * without program hashes.
 */
export function distinctPrograms(group: readonly ScoredRollout[]): number | null {
  if (group.length === 0 || group.some(({ program }) => program === undefined)) return null;
  return new Set(group.map(({ program, text }) => program ?? text.trim())).size / group.length;
}

/**
 * Mean Jaccard distance between the token trigram sets of all pairs in the group,
 * 1 - |A ∩ B| / |A ∪ B|: 0 for equal completions, 1 for completions that share no three consecutive
 * tokens. Null for a group of fewer than two.
 */
export function meanPairwiseDistance(group: readonly Rollout[]): number | null {
  const grams = group.map(({ tokens }) => trigrams(tokens));
  return mean(grams.flatMap((a, i) => grams.slice(i + 1).map((b) => jaccardDistance(a, b))));
}

/** A completion of fewer than three tokens counts as one gram. */
function trigrams(tokens: readonly number[]): Set<string> {
  const starts = Math.max(1, tokens.length - 2);
  return new Set(Array.from({ length: starts }, (_, i) => tokens.slice(i, i + 3).join(' ')));
}

function jaccardDistance(a: Set<string>, b: Set<string>): number {
  const shared = [...a].filter((gram) => b.has(gram)).length;
  return 1 - shared / (a.size + b.size - shared);
}
