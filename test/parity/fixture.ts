// The tiny Qwen2 of fixtures/ and what torch and transformers computed from it.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { StepSettings, TrainSequence } from '../../src/rl/trainer.ts';

export const folder = fileURLToPath(new URL('./fixtures/tiny-qwen2', import.meta.url));
export const engine = { device: 'cpu', threads: 2, shard_prompts: 8 } as const;

interface Expected {
  temperature: number;
  kl: number;
  low: number;
  high: number;
  prompts: number[][];
  completions: number[][];
  rows: { old: number[]; reference: number[]; advantage: number }[];
  logprobs: number[][];
  logits: number[][];
  greedy: number[][];
  likelihood_loss: number;
  clipped_ratio_loss: number;
  adamw: {
    learning_rate: number;
    weight_decay: number;
    betas: [number, number];
    epsilon: number;
    max_grad_norm: number;
    losses: number[];
    grad_norms: number[];
  };
}
export const expected = JSON.parse(readFileSync(`${folder}/expected.json`, 'utf8')) as Expected;

/** The fixture's samples, each token weighing the same. */
export function trainSequences(): TrainSequence[] {
  const total = expected.completions.flat().length;
  return expected.prompts.map((prompt, i) => {
    const completion = expected.completions[i]!;
    const row = expected.rows[i]!;
    return {
      prompt,
      completion,
      weight: completion.map(() => 1 / total),
      advantage: completion.map(() => row.advantage),
      reward: 0,
      oldLogprobs: row.old,
      referenceLogprobs: row.reference,
    };
  });
}

export function stepSettings(): StepSettings {
  const { adamw } = expected;
  return {
    inverse_temperature: 1 / expected.temperature,
    kl_coefficient: expected.kl,
    ratio_low: expected.low,
    ratio_high: expected.high,
    learning_rate: adamw.learning_rate,
    weight_decay: adamw.weight_decay,
    beta1: adamw.betas[0],
    beta2: adamw.betas[1],
    epsilon: adamw.epsilon,
    max_grad_norm: adamw.max_grad_norm,
  };
}

/** ‖a − b‖ / ‖b‖ */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    norm += b[i]! ** 2;
  }
  return Math.sqrt(difference / norm);
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = a.length === b.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < b.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}
