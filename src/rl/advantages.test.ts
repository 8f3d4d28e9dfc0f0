import { describe, expect, it } from 'vitest';
import { advantages, isConstant } from './advantages.ts';

const close = (found: number[], wanted: number[]) => {
  expect(found).toHaveLength(wanted.length);
  found.forEach((x, i) => {
    expect(x).toBeCloseTo(wanted[i]!, 10);
  });
};

describe('advantages of [1, 0, 0, 0.6]', () => {
  const rewards = [1, 0, 0, 0.6];
  it('reinforce: the reward', () => close(advantages('reinforce', rewards), rewards));
  it('baseline: less the mean 0.4', () =>
    close(advantages('baseline', rewards), [0.6, -0.4, -0.4, 0.2]));
  it('rloo: less the mean of the others', () =>
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

it('a group of one has no others to be better than', () => {
  expect(advantages('rloo', [0.7])).toEqual([0]);
  expect(advantages('grpo', [0.7])).toEqual([0]);
});

describe('a constant group', () => {
  it('is one whose whole spread is within 1e-6', () => {
    expect(isConstant([0.5, 0.5 + 5e-7, 0.5])).toBe(true);
    expect(isConstant([0.5, 0.5 + 2e-6])).toBe(false);
  });
  it('is not [1, 0, 0, 0]', () => expect(isConstant([1, 0, 0, 0])).toBe(false));
});
