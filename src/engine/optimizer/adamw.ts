// The optimiser as graph nodes: clipping by global norm and AdamW.

import type { Builder } from '../graph/operators.ts';
import type { Value } from '../graph/value.ts';

/** Scalars that change from step to step, as float32 inputs [] of the graph. */
export interface AdamWInputs {
  learningRate: Value;
  weightDecay: Value;
  beta1: Value;
  beta2: Value;
  epsilon: Value;
  /** 1 - beta1^t and 1 - beta2^t. */
  correction1: Value;
  correction2: Value;
}

/** A parameter with its first and second moment, each in the parameter's shape. */
export interface Moments {
  parameter: Value;
  first: Value;
  second: Value;
}

/**
 * Scale gradients so that their global norm is at most `maxNorm`: g · min(1, maxNorm / (norm + 1e-6)).
 * `squares` [P] holds each gradient's squared norm, by which a NaN is traced to its tensor.
 */
export function clipByGlobalNorm(g: Builder, gradients: readonly Value[], maxNorm: Value) {
  const squares = g.concat(
    gradients.map((x) => g.reshape(g.sumAll(g.mul(x, x)), [1])),
    0,
  );
  const norm = g.sqrt(g.sumAll(squares));
  const scale = g.min(1, g.div(maxNorm, g.add(norm, 1e-6)));
  return { clipped: gradients.map((x) => g.mul(x, scale)), norm, squares };
}

/**
 * One step of AdamW (arXiv 1711.05101), as in torch.optim.AdamW:
 * m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², p ← p·(1 − ηλ) − η·(m/c₁) / (√(v/c₂) + ε).
 */
export function adamw(g: Builder, moments: Moments, gradient: Value, h: AdamWInputs): Moments {
  const { parameter, first, second } = moments;
  const blend = (old: Value, beta: Value, x: Value) =>
    g.add(g.mul(old, beta), g.mul(x, g.sub(1, beta)));
  const newFirst = blend(first, h.beta1, gradient);
  const newSecond = blend(second, h.beta2, g.mul(gradient, gradient));
  const denominator = g.add(g.sqrt(g.div(newSecond, h.correction2)), h.epsilon);
  const step = g.mul(g.div(newFirst, denominator), g.div(h.learningRate, h.correction1));
  const decayed = g.mul(parameter, g.sub(1, g.mul(h.learningRate, h.weightDecay)));
  return { parameter: g.sub(decayed, step), first: newFirst, second: newSecond };
}
