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

/** A gradient with its elements' squares. */
interface Gradient {
  value: Value;
  square: Value;
}

/** Gradients not yet clipped, and the factor [] that clips them. */
export interface ClippedGradients {
  gradients: Gradient[];
  scale: Value;
  /** Global norm before clipping, []. */
  norm: Value;
  /** Each gradient's squared norm [P], by which a NaN is traced to its tensor. */
  squares: Value;
}

/** The factor that brings the global norm down to `maxNorm`: min(1, maxNorm / (norm + 1e-6)). */
export function clipByGlobalNorm(
  g: Builder,
  values: readonly Value[],
  maxNorm: Value,
): ClippedGradients {
  const gradients = values.map((value) => ({ value, square: g.mul(value, value) }));
  const squares = g.concat(
    gradients.map(({ square }) => g.reshape(g.sumAll(square), [1])),
    0,
  );
  const norm = g.sqrt(g.sumAll(squares));
  const scale = g.min(1, g.div(maxNorm, g.add(norm, 1e-6)));
  return { gradients, scale, norm, squares };
}

/**
 * One step of AdamW (arXiv 1711.05101) for every parameter, as in torch.optim.AdamW:
 * m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², p ← p·(1 − ηλ) − η·(m/c₁) / (√(v/c₂) + ε).
 * What is the same for all parameters, the clipping of g included, is one scalar each.
 */
export function adamw(
  g: Builder,
  parameters: readonly Moments[],
  { gradients, scale }: ClippedGradients,
  h: AdamWInputs,
): Moments[] {
  const firstRate = g.mul(g.sub(1, h.beta1), scale);
  const secondRate = g.mul(g.sub(1, h.beta2), g.mul(scale, scale));
  const root = g.sqrt(h.correction2);
  const rate = g.mul(g.div(h.learningRate, h.correction1), root);
  const epsilon = g.mul(h.epsilon, root);
  const kept = g.sub(1, g.mul(h.learningRate, h.weightDecay));
  return parameters.map(({ parameter, first, second }, i) => {
    const { value, square } = gradients[i]!;
    const newFirst = g.add(g.mul(first, h.beta1), g.mul(value, firstRate));
    const newSecond = g.add(g.mul(second, h.beta2), g.mul(square, secondRate));
    const step = g.mul(g.div(newFirst, g.add(g.sqrt(newSecond), epsilon)), rate);
    const moved = g.sub(g.mul(parameter, kept), step);
    return { parameter: moved, first: newFirst, second: newSecond };
  });
}
