import { describe, expect, it } from 'vitest';
import type { AlgorithmName } from '../config/algorithm-traits.ts';
import { rlaifSchema } from '../config/schema/rlaif.ts';
import { algorithms, tokenWeights } from './algorithms.ts';

const advantages = (name: AlgorithmName, rewards: readonly number[]) =>
  algorithms[name].advantages(rewards);

const close = (found: number[], wanted: number[]) => {
  expect(found).toHaveLength(wanted.length);
  found.forEach((x, i) => {
    expect(x).toBeCloseTo(wanted[i]!, 10);
  });
};

describe('advantages of [1, 0, 0, 0.6]', () => {
  const rewards = [1, 0, 0, 0.6];
  it('reinforce: the reward', () => close(advantages('reinforce', rewards), rewards));
  it('baseline: minus the mean 0.4', () =>
    close(advantages('baseline', rewards), [0.6, -0.4, -0.4, 0.2]));
  it('rloo: minus the mean of the others', () =>
    close(advantages('rloo', rewards), [1 - 0.2, 0 - 1.6 / 3, 0 - 1.6 / 3, 0.6 - 1 / 3]));
  it('grpo: divided by the deviation with n - 1', () => {
    const std = Math.sqrt((0.36 + 0.16 + 0.16 + 0.04) / 3);
    close(
      advantages('grpo', rewards),
      [0.6, -0.4, -0.4, 0.2].map((d) => d / (std + 1e-4)),
    );
  });
  it('dr_grpo: not divided', () => close(advantages('dr_grpo', rewards), [0.6, -0.4, -0.4, 0.2]));
});

it('a group of one has no others to compare with', () => {
  expect(advantages('rloo', [0.7])).toEqual([0]);
  expect(advantages('grpo', [0.7])).toEqual([0]);
});

describe('the weight of a token in samples of 2 and 6 tokens', () => {
  const weights = (file: object) => tokenWeights([2, 6], rlaifSchema.parse(file));
  it('token_mean: one eighth', () => expect(weights({})).toEqual([1 / 8, 1 / 8]));
  it('sequence_mean: a share of its sample, which weighs a half', () =>
    expect(weights({ loss_aggregation: 'sequence_mean' })).toEqual([1 / 4, 1 / 12]));
  it('dr_grpo: one of samples · max_new_tokens', () =>
    expect(weights({ algorithm: 'dr_grpo', max_new_tokens: 10 })).toEqual([1 / 20, 1 / 20]));
});
