import { expect, it } from 'vitest';
import { type EvaluatedSample, summarizeEvaluation } from './evaluation.ts';

function samples(id: string, correctness: (number | null)[]): EvaluatedSample[] {
  return correctness.map((share, sample) => ({
    ...{ id, sample, text: '', finish: sample === 0 ? 'length' : 'stop', tokens: sample },
    reward: share,
    rewards: { rubric: { value: share, criteria: share === null ? {} : { correctness: share } } },
  }));
}

it('pass@k is unbiased, with an interval over prompts', () => {
  const all = [
    ...samples('a', [1, 0, 0, 0]),
    ...samples('b', [0, 0.5, 0, 0]),
    ...samples('c', [1, 1, 1, 1]),
  ];
  const { passAtK, ...others } = summarizeEvaluation(all, [1, 2, 8]);
  expect(passAtK['pass@1']!.value).toBeCloseTo((0.25 + 0 + 1) / 3);
  expect(passAtK['pass@2']!.value).toBeCloseTo((0.5 + 0 + 1) / 3);
  expect(passAtK['pass@8']).toBeNull();
  expect(passAtK['pass@2']).toMatchObject({ low: 0, high: 1, prompts: 3 });
  const many = Array.from({ length: 50 }, (_, i) => samples(`${i}`, [i % 2, 1]));
  const half = (1.96 * Math.sqrt((0.25 ** 2 * 50) / 49)) / Math.sqrt(50);
  const { 'pass@1': found } = summarizeEvaluation(many.flat(), [1]).passAtK;
  expect(found!.low).toBeCloseTo(0.75 - half);
  expect(found!.high).toBeCloseTo(0.75 + half);
  expect(others).toMatchObject({ prompts: 3, samples: 12, truncated: 0.25, meanTokens: 1.5 });
  expect(others.reward!.value).toBeCloseTo((0.25 + 0.125 + 1) / 3);
});

it('samples without a verdict are left out, and a single prompt has no interval', () => {
  const { passAtK, reward } = summarizeEvaluation(samples('a', [1, null, 0]), [1, 2, 3]);
  expect(passAtK).toEqual({
    'pass@1': { value: 0.5, low: null, high: null, prompts: 1 },
    'pass@2': { value: 1, low: null, high: null, prompts: 1 },
    'pass@3': null,
  });
  expect(reward).toMatchObject({ value: 0.5 });
});
