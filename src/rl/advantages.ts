// From the rewards of a group (all samples of one prompt) to advantages. Formulas and papers are
// in docs/algorithms.md.

import type { RlaifConfig } from '../config/schema/rlaif.ts';

/** A group whose rewards differ by no more than this has nothing to tell its samples apart. */
export const constantSpread = 1e-6;

/** Added to the standard deviation that GRPO divides by. */
const grpoEpsilon = 1e-4;

type Estimator = (rewards: readonly number[]) => number[];

const mean = (xs: readonly number[]) => xs.reduce((sum, x) => sum + x, 0) / xs.length;

const centred: Estimator = (rewards) => {
  const baseline = mean(rewards);
  return rewards.map((r) => r - baseline);
};

const estimators: Record<RlaifConfig['algorithm'], Estimator> = {
  /** A = r: the original system's reward-weighted likelihood. */
  reinforce: (rewards) => [...rewards],
  /** A = r − mean of the group (arXiv 1612.00563 with a sample mean for baseline). */
  baseline: centred,
  /** A = r − mean of the others (arXiv 2402.14740); a group of one has no others: 0. */
  rloo: (rewards) => {
    const scale = rewards.length > 1 ? rewards.length / (rewards.length - 1) : 0;
    return centred(rewards).map((a) => a * scale);
  },
  /** A = (r − mean) / (std + 1e-4), std with n − 1 (arXiv 2402.03300 as TRL computes it). */
  grpo: (rewards) => {
    const differences = centred(rewards);
    const squares = differences.reduce((sum, d) => sum + d * d, 0);
    const std = Math.sqrt(squares / Math.max(1, rewards.length - 1));
    return differences.map((d) => d / (std + grpoEpsilon));
  },
  /** A = r − mean; the constant-length normaliser is applied in training (arXiv 2503.20783). */
  dr_grpo: centred,
};

/** Advantages of one group's rewards, before the reward weight. */
export function advantages(
  algorithm: RlaifConfig['algorithm'],
  rewards: readonly number[],
): number[] {
  return estimators[algorithm](rewards);
}

/** Whether the whole group's rewards are the same, up to a judge's rounding. */
export function isConstant(rewards: readonly number[]): boolean {
  return Math.max(...rewards) - Math.min(...rewards) <= constantSpread;
}
