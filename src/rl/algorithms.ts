// The values of rlaif.algorithm: advantages from a group's rewards (all samples of
// one prompt), the objective they enter, and how a step averages it. A new algorithm is an entry
// here and one in config/algorithm-traits.ts. Formulas and papers: docs/algorithms.md.

import type { AlgorithmName } from '../config/algorithm-traits.ts';
import type { RlaifConfig } from '../config/schema/rlaif.ts';
import type { ObjectiveKind } from './policy/objective.ts';

export interface Algorithm {
  /** Advantages of one group's rewards, before reward_weight. */
  advantages: (rewards: readonly number[]) => number[];
  objective: ObjectiveKind;
  /** `configured` follows rlaif.loss_aggregation. */
  aggregation: Aggregation | 'configured';
}

type Aggregation = RlaifConfig['loss_aggregation'] | 'constant_length';

/** Added to the standard deviation that GRPO divides by. */
const grpoEpsilon = 1e-4;

export const algorithms: Record<AlgorithmName, Algorithm> = {
  /** A = r: the original system's reward-weighted likelihood. */
  reinforce: {
    advantages: (rewards) => [...rewards],
    objective: 'likelihood',
    aggregation: 'configured',
  },
  /** A = r − mean of the group (arXiv 1612.00563 with a sample mean as baseline). */
  baseline: {
    advantages: centred,
    objective: 'clipped_ratio',
    aggregation: 'configured',
  },
  /** A = r − mean of the others (arXiv 2402.14740); 0 for a group of one. */
  rloo: {
    advantages(rewards) {
      const scale = rewards.length > 1 ? rewards.length / (rewards.length - 1) : 0;
      return centred(rewards).map((a) => a * scale);
    },
    objective: 'clipped_ratio',
    aggregation: 'configured',
  },
  /** A = (r − mean) / (std + 1e-4), std with n − 1 (arXiv 2402.03300 as TRL computes it). */
  grpo: {
    advantages(rewards) {
      const differences = centred(rewards);
      const squares = differences.reduce((sum, d) => sum + d * d, 0);
      const std = Math.sqrt(squares / Math.max(1, rewards.length - 1));
      return differences.map((d) => d / (std + grpoEpsilon));
    },
    objective: 'clipped_ratio',
    aggregation: 'configured',
  },
  /** A = r − mean, and a constant-length sum instead of a mean over tokens (arXiv 2503.20783). */
  dr_grpo: {
    advantages: centred,
    objective: 'clipped_ratio',
    aggregation: 'constant_length',
  },
};

function centred(rewards: readonly number[]): number[] {
  const mean = rewards.reduce((sum, r) => sum + r, 0) / rewards.length;
  return rewards.map((r) => r - mean);
}

interface TokenPlace {
  /** Tokens in the token's sample. */
  length: number;
  /** Samples and tokens in the step. */
  samples: number;
  tokens: number;
  maxNewTokens: number;
}

const weightOf: Record<Aggregation, (place: TokenPlace) => number> = {
  /** A mean over all tokens (arXiv 2503.14476). */
  token_mean: ({ tokens }) => 1 / tokens,
  /** A mean over samples of means over their tokens (arXiv 2402.03300). */
  sequence_mean: ({ samples, length }) => 1 / (samples * length),
  /** A sum over tokens divided by samples · max_new_tokens (arXiv 2503.20783). */
  constant_length: ({ samples, maxNewTokens }) => 1 / (samples * maxNewTokens),
};

/** Weight in the loss of each token of a step's samples, by their lengths. */
export function tokenWeights(
  lengths: readonly number[],
  {
    algorithm,
    loss_aggregation,
    max_new_tokens,
  }: Pick<RlaifConfig, 'algorithm' | 'loss_aggregation' | 'max_new_tokens'>,
): number[] {
  const { aggregation } = algorithms[algorithm];
  const weight = weightOf[aggregation === 'configured' ? loss_aggregation : aggregation];
  const step = {
    samples: lengths.length,
    tokens: lengths.reduce((sum, length) => sum + length, 0),
    maxNewTokens: max_new_tokens,
  };
  return lengths.map((length) => weight({ ...step, length }));
}
