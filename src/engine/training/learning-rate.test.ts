import { describe, expect, it } from 'vitest';
import { trainingSchema } from '../../config/schema/training.ts';
import { learningRate } from './learning-rate.ts';

const rates = (file: object, steps: number[]) =>
  steps.map((step) => learningRate(trainingSchema.parse(file), step));

describe('the learning rate', () => {
  it('warms up linearly to its peak and stays', () => {
    const file = { learning_rate: 0.4, warmup_steps: 4 };
    expect(rates(file, [0, 1, 2, 3, 4, 1000])).toEqual([
      0.1, 0.2, 0.30000000000000004, 0.4, 0.4, 0.4,
    ]);
  });

  it('falls by half a cosine after the warm-up and stays there', () => {
    const file = {
      learning_rate: 1,
      warmup_steps: 10,
      schedule: 'cosine',
      decay_steps: 100,
      min_learning_rate: 0.2,
    };
    const [peak, quarter, half, end, after] = rates(file, [10, 35, 60, 110, 500]);
    expect(peak).toBe(1);
    expect(quarter).toBeCloseTo(0.2 + 0.8 * 0.8535533906, 9);
    expect(half).toBeCloseTo(0.6, 9);
    expect(end).toBeCloseTo(0.2, 9);
    expect(after).toBeCloseTo(0.2, 9);
  });

  it('is at its peak from the first step without a warm-up', () => {
    expect(rates({ learning_rate: 0.3, warmup_steps: 0 }, [0])).toEqual([0.3]);
  });
});
