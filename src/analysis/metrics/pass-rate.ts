// Share of samples that pass their tests, and of prompts that k tries solve (pass@k).

import type { Score, ScoredRollout } from '../../records/rollouts.ts';
import { mean } from './statistics.ts';

/** Shares by k, such as `pass@8`. */
export type PassAtK = Record<`pass@${number}`, number | null>;

/** Share of judged samples whose tests all pass; null if no reward has a correctness. */
export function passRate(rollouts: readonly ScoredRollout[]): number | null {
  return isTested(rollouts)
    ? mean(rollouts.filter(isJudged).map((r) => (passes(r) ? 1 : 0)))
    : null;
}

/**
 * Mean over prompts of the estimate of pass@k, for powers of two k below the largest group's
 * size, and for that size. A prompt with fewer than k judged samples is left out of pass@k; null if
 * none is left, or no reward has a correctness.
 */
export function passAtPowers(groups: readonly (readonly ScoredRollout[])[]): PassAtK {
  const tested = isTested(groups.flat());
  const tallies = groups.map(tally);
  const sizes = groups.map((group) => group.length);
  return Object.fromEntries(
    triesUpTo(Math.max(0, ...sizes)).map((k) => {
      const known = tested ? tallies.filter(({ judged }) => judged >= k) : [];
      return [`pass@${k}`, mean(known.map(({ judged, passed }) => passAtK(judged, passed, k)))];
    }),
  );
}

/**
 * Unbiased estimate of the probability that at least one of `k` samples passes, given that `c` of
 * `n` did: 1 - C(n - c, k) / C(n, k) (arXiv 2107.03374). Computed as a product, whose factors stay
 * in [0, 1] where binomials would overflow.
 * @throws RangeError unless 1 ≤ k ≤ n and 0 ≤ c ≤ n.
 */
export function passAtK(n: number, c: number, k: number): number {
  if (!(k >= 1 && k <= n && c >= 0 && c <= n))
    throw new RangeError(
      `pass@k: expected 1 ≤ k ≤ n and 0 ≤ c ≤ n, found n ${n}, c ${c}, k ${k}. Leave prompts out ` +
        'that have fewer than k samples.',
    );
  if (n - c < k) return 1;
  let allFail = 1;
  for (let i = n - c + 1; i <= n; i++) allFail *= 1 - k / i;
  return 1 - allFail;
}

/** 1, 2, 4, … under `size`, and `size` itself. */
function triesUpTo(size: number): number[] {
  const tries: number[] = [];
  for (let k = 1; k < size; k *= 2) tries.push(k);
  return size > 0 ? [...tries, size] : [];
}

function tally(group: readonly ScoredRollout[]): { judged: number; passed: number } {
  const judged = group.filter(isJudged);
  return { judged: judged.length, passed: judged.filter(passes).length };
}

/** The share of tests passed, from every reward that tests. */
export function correctnessOf({ rewards }: Pick<Score, 'rewards'>): number[] {
  return Object.values(rewards).flatMap(({ criteria }) => criteria.correctness ?? []);
}

function isTested(rollouts: readonly ScoredRollout[]): boolean {
  return rollouts.some((rollout) => correctnessOf(rollout).length > 0);
}

function isJudged(rollout: ScoredRollout): boolean {
  return rollout.reward !== null || correctnessOf(rollout).length > 0;
}

function passes(rollout: ScoredRollout): boolean {
  return correctnessOf(rollout).includes(1);
}
