import { expect, it } from 'vitest';
import type { Judged, ScoredRollout } from '../../records/rollouts.ts';
import { summarizeJudges } from './judge-summary.ts';

type Word = { value: number; criteria?: Record<string, number>; tokens?: number } & Partial<Judged>;

const samples = (words: Word[]): ScoredRollout[] =>
  words.map(({ value, criteria = {}, tokens = 1, place = null, second = null }, sample) => ({
    ...{ promptId: 'a', sample, text: '', finish: 'stop' as const, reward: value },
    ...{ tokens: Array(tokens).fill(0), logprobs: Array(tokens).fill(-1) },
    rewards: {
      rubric: { value: 0, criteria: {} },
      teacher: { value, criteria, judged: { place, second } },
    },
  }));

it('measures how often a judge repeats its verdict', () => {
  const yes = { value: 1, criteria: { right: 1, points: 0.75 } };
  const no = { value: 0, criteria: { right: 0, points: 0.25 } };
  const { teacher, rubric } = summarizeJudges(
    samples([
      { ...yes, second: yes },
      { ...yes, second: no },
      { ...no, second: no },
      { ...no, second: no },
      { ...yes },
    ]),
  );
  expect(rubric).toBeUndefined();
  // 3 of 4 the same; by chance 2/4 · 1/4 + 2/4 · 3/4 = 1/2.
  expect(teacher).toMatchObject({ second_opinions: 0.8, kappa: (3 / 4 - 1 / 2) / (1 / 2) });
  // Ranks 3.5 3.5 1.5 1.5 and 4 2 2 2: 0.5 · 1.5 + 3 · 0.5 · 0.5 … = 1 / √3.
  expect(teacher!.agreement).toBeCloseTo(1 / Math.sqrt(3), 12);
});

it('measures bias by position and length', () => {
  const { teacher } = summarizeJudges(
    samples([
      { value: 0.9, place: 0, tokens: 10 },
      { value: 0.5, place: 0.5, tokens: 20 },
      { value: 0.1, place: 1, tokens: 40 },
    ]),
  );
  expect(teacher).toMatchObject({ second_opinions: 0, agreement: null, kappa: null });
  expect(teacher!.place_correlation).toBeCloseTo(-1, 12);
  expect(teacher!.length_correlation).toBeCloseTo(-1, 12);
});

it('has no correlation if nothing differs', () => {
  const { teacher } = summarizeJudges(samples([{ value: 1 }, { value: 1 }]));
  expect(teacher).toMatchObject({ place_correlation: null, length_correlation: null });
});
