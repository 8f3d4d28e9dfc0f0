// The optimiser: clipping by global norm and AdamW, in place on the arrays that hold the state. It
// is not part of the graph because a graph's outputs are copies: there would be three copies of the
// state, and copying takes longer than the arithmetic.

/** Hyperparameters of one step. */
export interface AdamWSettings {
  learning_rate: number;
  weight_decay: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Gradients are scaled so that their global norm is at most this. */
  max_grad_norm: number;
}

/** A parameter with its first and second moments, of the same length. */
export interface Moments {
  parameter: Float32Array;
  first: Float32Array;
  second: Float32Array;
}

/**
 * Step `t` (from 1) of AdamW (arXiv 1711.05101), as in torch.optim.AdamW after
 * torch.nn.utils.clip_grad_norm_: g ← g · min(1, max_grad_norm / (norm + 1e-6)),
 * m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², p ← p·(1 − ηλ) − η·(m/c₁) / (√(v/c₂) + ε),
 * with c = 1 − βᵗ. Computed in float64, stored in float32.
 */
export function adamw(
  { parameter, first, second }: Moments,
  gradient: Float32Array,
  norm: number,
  t: number,
  settings: AdamWSettings,
): void {
  const { learning_rate, weight_decay, beta1, beta2, epsilon, max_grad_norm } = settings;
  const scale = Math.min(1, max_grad_norm / (norm + 1e-6));
  const firstRate = (1 - beta1) * scale;
  const secondRate = (1 - beta2) * scale * scale;
  // η·(m/c₁) / (√(v/c₂) + ε) with √c₂ moved out of the denominator.
  const root = Math.sqrt(1 - beta2 ** t);
  const rate = (learning_rate / (1 - beta1 ** t)) * root;
  const floor = epsilon * root;
  const kept = 1 - learning_rate * weight_decay;
  for (let i = 0; i < parameter.length; i++) {
    const g = gradient[i]!;
    const m = first[i]! * beta1 + g * firstRate;
    const v = second[i]! * beta2 + g * g * secondRate;
    first[i] = m;
    second[i] = v;
    parameter[i] = parameter[i]! * kept - (rate * m) / (Math.sqrt(v) + floor);
  }
}
