// The benchmarks' training data, which is random sequences, and the settings of a step.

import type { DecoderConfig } from '../src/engine/model/config.ts';
import { uniforms } from '../src/engine/sampling/random.ts';
import type { StepSettings, TrainSequence } from '../src/rl/policy/trainer.ts';

export const engine = { device: 'cpu', threads: 2, shard_prompts: 8 } as const;

export const stepSettings: StepSettings = {
  inverse_temperature: 1,
  kl_coefficient: 0.1,
  ratio_low: 0.8,
  ratio_high: 1.28,
  learning_rate: 1e-5,
  weight_decay: 0,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  max_grad_norm: 1,
};

/** Rows of random token ids. */
export function randomTokens(c: DecoderConfig, rows: number, length: number): number[][] {
  const random = uniforms('tokens', length);
  const row = () => Array.from({ length }, () => Math.floor(random() * c.vocabSize));
  return Array.from({ length: rows }, row);
}

/** `batch` random samples, as if drawn from a uniform policy that is also the reference. */
export function randomSequences(
  c: DecoderConfig,
  batch: number,
  promptLength: number,
  completionLength: number,
): TrainSequence[] {
  const random = uniforms('advantages');
  const prompts = randomTokens(c, batch, promptLength);
  return randomTokens(c, batch, completionLength).map((completion, i) => {
    const every = (value: number) => completion.map(() => value);
    return {
      prompt: prompts[i]!,
      completion,
      weight: every(1 / (batch * completionLength)),
      advantage: every(random() - 0.5),
      reward: 0,
      oldLogprobs: every(-Math.log(c.vocabSize)),
      referenceLogprobs: every(-Math.log(c.vocabSize)),
    };
  });
}
