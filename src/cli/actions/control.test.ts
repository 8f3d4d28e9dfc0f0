import { expect, test } from 'vitest';
import { adjustmentOf } from './control.ts';

test('assignments become one adjustment', () => {
  const flags = ['rlaif.kl_penalty=0.05', 'training.learning_rate=1e-4', 'rlaif.reward_weight=2'];
  expect(adjustmentOf(flags)).toEqual({
    rlaif: { kl_penalty: 0.05, reward_weight: 2 },
    training: { learning_rate: 1e-4 },
  });
});

test('a value that is missing is named', () => {
  expect(() => adjustmentOf(['rlaif.top_k='])).toThrow(/^adjust rlaif\.top_k=: expected a value/);
});

test.each(['seed=1', 'rlaif=1', 'rlaif.kl_penalty.x=1'])('%s is refused', (flag) => {
  expect(() => adjustmentOf([flag])).toThrow(/expected rlaif\.KEY=VALUE or training\.KEY=VALUE/);
});
