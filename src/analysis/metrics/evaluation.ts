// What an evaluation of a model says: pass@k and mean reward, each with its interval over prompts.

import type { Rollout, Score } from '../../records/rollouts.ts';
import { correctnessOf, passAtK } from './pass-rate.ts';
import { spread } from './statistics.ts';

/** A sample with its scores, as `anneal eval` keeps it. */
export interface EvaluatedSample extends Score {
  id: string;
  sample: number;
  text: string;
  finish: Rollout['finish'];
  /** Length in tokens. */
  tokens: number;
}

/** A mean over prompts with its 95% interval: 1.96 standard errors to each side, within [0, 1]. */
export interface Estimate {
  value: number;
  /** Null for a single prompt. */
  low: number | null;
  high: number | null;
  prompts: number;
}

export interface EvaluationSummary {
  prompts: number;
  samples: number;
  /** By name, such as `pass@8`; null if no reward has a correctness. */
  passAtK: Record<string, Estimate | null>;
  reward: Estimate | null;
  /** Share of samples that ended at the limit of tokens. */
  truncated: number;
  /** Tokens of a sample, on average. */
  meanTokens: number;
}

/** Summarise samples, in any order. Samples without a correctness or reward are left out of it. */
export function summarizeEvaluation(
  samples: readonly EvaluatedSample[],
  ks: readonly number[],
): EvaluationSummary {
  const groups = [...Map.groupBy(samples, ({ id }) => id).values()];
  const verdicts = groups.map((group) => group.map(isPassed).filter((it) => it !== null));
  const passes = ks.map((k) => {
    const known = verdicts.filter(({ length }) => length >= k);
    const values = known.map((group) => passAtK(group.length, group.filter(Boolean).length, k));
    return [`pass@${k}`, estimate(values)] as const;
  });
  const rewards = groups.flatMap((group) => {
    const known = group.flatMap(({ reward }) => (reward === null ? [] : [reward]));
    return spread(known)?.mean ?? [];
  });
  return {
    prompts: groups.length,
    samples: samples.length,
    passAtK: Object.fromEntries(passes),
    reward: estimate(rewards),
    truncated: samples.filter(({ finish }) => finish === 'length').length / samples.length,
    meanTokens: samples.reduce((sum, { tokens }) => sum + tokens, 0) / samples.length,
  };
}

/** Whether all tests pass; null if no reward tested the sample. */
function isPassed(sample: EvaluatedSample): boolean | null {
  const shares = correctnessOf(sample);
  return shares.length === 0 ? null : shares.includes(1);
}

/** The mean of one value a prompt; null if there is none. */
function estimate(values: readonly number[]): Estimate | null {
  const found = spread(values);
  if (!found) return null;
  const { mean, deviation } = found;
  const prompts = values.length;
  if (deviation === null) return { value: mean, low: null, high: null, prompts };
  const half = (1.96 * deviation) / Math.sqrt(prompts);
  return { value: mean, low: Math.max(0, mean - half), high: Math.min(1, mean + half), prompts };
}
