import { describe, expect, it } from 'vitest';
import type { Refit } from '../../records/metrics.ts';
import { isAtLeastAsGood, refitMetrics } from '../metrics/refit.ts';
import { describeRefit, refitTable } from './refits.ts';

const taken: Refit = {
  ...{ reward: 'teacher', epoch: 11, pairs: 120, heldOutPairs: 30 },
  ...{ accuracyBefore: 0.7, accuracyAfter: 0.8, inForce: true },
};
const tried: Refit = { ...taken, accuracyAfter: 0.6, inForce: false };
const unfit: Refit = {
  ...{ reward: 'teacher', epoch: 16, pairs: 3, heldOutPairs: 0 },
  ...{ accuracyBefore: null, accuracyAfter: null, inForce: false },
};

it.each([
  [0.7, 0.8, true],
  [0.7, 0.7, true],
  [0.7, 0.69, false],
  [0.7, null, false],
  [null, 0.7, false],
])('accuracy %d, then %d: at least as good is %s', (before, after, good) => {
  expect(isAtLeastAsGood(before, after)).toBe(good);
});

it('says which model is used and why', () => {
  expect(describeRefit(taken)).toBe(
    "reward model 'teacher' refitted before epoch 11: 70.0% → 80.0% of 30 held-out pairs in the right order after training on 120",
  );
  expect(describeRefit(tried)).toContain('left unchanged before epoch 11: 70.0% → 60.0%');
  expect(describeRefit(unfit)).toContain(
    'left unchanged before epoch 16: too few pairs, 3 to train on and 0 held out',
  );
});

describe('a table of refits', () => {
  it('is made from the lines of metrics', () => {
    const history = [
      { epoch: 10 },
      { epoch: 11, 'rewards/teacher/mean': 0.5, ...refitMetrics([taken]) },
      { epoch: 16, ...refitMetrics([unfit]) },
    ];
    expect(refitTable(history).split('\n').slice(2)).toEqual([
      '| teacher | 11 | 120 | 30 | 70.0% | 80.0% | refitted |',
      '| teacher | 16 | 3 | 0 | – | – | unchanged |',
    ]);
  });

  it('is empty without refits', () => {
    expect(refitTable([{ epoch: 1 }, { epoch: 2 }])).toBe('');
  });
});
