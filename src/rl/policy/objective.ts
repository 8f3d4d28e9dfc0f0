// The policy-gradient objective as graph nodes, for one microbatch.
// Axes: M tokens learned, V vocabulary.

import type { Value } from '../../engine/graph/graph.ts';
import type { Builder } from '../../engine/graph/operators.ts';
import { targetLogprobs } from '../../engine/model/logprob-graph.ts';

/**
 * `likelihood`: −A·log π, the original system's loss if A is the weighted reward, and plain
 * maximum likelihood if A is 1. `clipped_ratio`: −min(r·A, clip(r)·A) with
 * r = π / π_sampled (PPO, arXiv 1707.06347, with separate bounds as in DAPO, arXiv 2503.14476).
 */
export type ObjectiveKind = 'likelihood' | 'clipped_ratio';

/** Per learned token, float32 [M], unless said otherwise. */
export interface ObjectiveInputs {
  /** int64. */
  targets: Value;
  /** Weight in the loss; a step's weights sum to 1 for a token mean. */
  weight: Value;
  advantage: Value;
  /** reward_weight · reward. */
  reward: Value;
  oldLogprobs: Value;
  referenceLogprobs: Value;
  /** Coefficient of k2 in the loss, []. */
  klCoefficient: Value;
  /** Smallest and largest ratio that still gets a gradient, []. */
  ratioLow: Value;
  ratioHigh: Value;
}

/** The stats vector, in order; each is a mean over tokens by `weight`. */
export const objectiveStats = [
  'policy_loss',
  'likelihood_loss',
  'k1',
  'k2',
  'k3',
  'entropy',
  'clip_low',
  'clip_high',
] as const;
export type ObjectiveStats = Record<(typeof objectiveStats)[number], number>;

/** The loss [] and the statistics [8] of a microbatch from log-softmaxed logits [M, V]. */
export function objective(
  g: Builder,
  kind: ObjectiveKind,
  logProbabilities: Value,
  x: ObjectiveInputs,
): { loss: Value; stats: Value } {
  const logprobs = targetLogprobs(g, logProbabilities, x.targets);
  const mean = (perToken: Value) => g.sumAll(g.mul(perToken, x.weight));
  const ratio = g.exp(g.sub(logprobs, x.oldLogprobs));
  const policyLoss = g.neg(mean(policyTerms[kind](g, logprobs, ratio, x)));
  const kl = klEstimators(g, logprobs, x.referenceLogprobs);
  const k2 = mean(kl.k2);
  const entropy = g.neg(g.sum(g.mul(g.exp(logProbabilities), logProbabilities), [-1], false));
  const clipped = clippedShares(g, ratio, x);
  const stats = [
    policyLoss,
    g.neg(mean(g.mul(x.reward, logprobs))),
    mean(g.mul(ratio, kl.k1)),
    k2,
    mean(g.mul(ratio, kl.k3)),
    mean(entropy),
    mean(clipped.low),
    mean(clipped.high),
  ].map((value) => g.reshape(value, [1]));
  const loss = g.add(policyLoss, g.mul(k2, x.klCoefficient));
  return { loss, stats: g.concat(stats, 0) };
}

/** What each objective maximises, per token; `ratio` is π / π_sampled. */
const policyTerms: Record<ObjectiveKind, PolicyTerm> = {
  likelihood: (g, logprobs, _ratio, x) => g.mul(x.advantage, logprobs),
  clipped_ratio: (g, _logprobs, ratio, x) => surrogate(g, ratio, x),
};

type PolicyTerm = (g: Builder, logprobs: Value, ratio: Value, x: ObjectiveInputs) => Value;

/** min(r·A, clip(r)·A) */
function surrogate(g: Builder, ratio: Value, x: ObjectiveInputs): Value {
  const bounded = g.min(g.max(ratio, x.ratioLow), x.ratioHigh);
  return g.min(g.mul(ratio, x.advantage), g.mul(bounded, x.advantage));
}

/** Where clipping removes the gradient: under the low bound at A < 0, over the high one at A > 0. */
function clippedShares(g: Builder, ratio: Value, x: ObjectiveInputs) {
  const both = (a: Value, b: Value) => g.cast(g.and(a, b), 'float32');
  return {
    low: both(g.less(ratio, x.ratioLow), g.less(x.advantage, 0)),
    high: both(g.less(x.ratioHigh, ratio), g.less(0, x.advantage)),
  };
}

/**
 * Estimators of KL(policy ‖ reference) from samples of the policy (Schulman 2020,
 * http://joschu.net/blog/kl-approx.html), with d = log π − log π_ref:
 * k1 = d, k2 = d²/2, k3 = e^−d − 1 + d. The samples come from the policy before this epoch's steps,
 * so the report weighs k1 and k3 by the ratio to it, which makes them unbiased. Without the weight, a
 * token that training made unlikely would enter k3 with e^−d, which has no bound.
 */
function klEstimators(g: Builder, logprobs: Value, reference: Value) {
  const d = g.sub(logprobs, reference);
  return {
    k1: d,
    k2: g.mul(g.mul(d, d), 0.5),
    k3: g.add(g.sub(g.exp(g.neg(d)), 1), d),
  };
}
