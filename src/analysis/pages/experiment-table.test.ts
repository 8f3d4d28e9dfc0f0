import { describe, expect, it } from 'vitest';
import type { EpochMetrics } from '../../records/metrics.ts';
import { experimentFigure } from './experiment-figure.ts';
import { compareVariants, experimentTable, partsTable } from './experiment-table.ts';

const line = (epoch: number, reward: number, more: object = {}) =>
  ({
    epoch,
    'eval/reward': reward,
    'eval/best_of_n_reward': reward + 0.3,
    'eval/gap': 0.3,
    'eval/reward_variance': 0.1,
    'eval/pass_rate': null,
    diversity: null,
    kl: null,
    ...more,
  }) as EpochMetrics;

const comparison = compareVariants({
  variants: [
    { name: 'a', title: 'A < B' },
    { name: 'b', title: 'B' },
  ],
  runs: [
    { variant: 'a', seed: 0, metrics: [line(0, 0.2), line(1, 0.3, { kl: 0.01 })] },
    {
      variant: 'a',
      seed: 1,
      metrics: [line(0, 0.2), line(1, 0.5, { kl: 0.03, 'eval/rewards/rubric/quality': 0.7 })],
    },
    { variant: 'b', seed: 0, metrics: [line(0, 0.2), line(1, 0.6)] },
  ],
});

describe('variants compared', () => {
  it('by mean and deviation over seeds, at the end and per epoch', () => {
    const [a, b] = comparison;
    expect(a!.seeds).toEqual([0, 1]);
    expect(a!.end['eval/reward']!.mean).toBeCloseTo(0.4, 12);
    expect(a!.end['eval/reward']!.deviation).toBeCloseTo(Math.sqrt(0.02), 12);
    expect(a!.end.kl!.mean).toBeCloseTo(0.02, 12);
    expect(a!.curve.map(({ epoch, mean }) => [epoch, mean])).toEqual([
      [0, 0.2],
      [1, 0.4],
    ]);
    expect(b!.end['eval/reward']).toEqual({ mean: 0.6, deviation: null });
    expect(b!.end['eval/pass_rate']).toBeNull();
  });

  it('as a table, the best first', () => {
    const rows = experimentTable(comparison).split('\n');
    expect(rows).toHaveLength(4);
    expect(rows[2]).toMatch(/^\| B \| 1 \| 0\.600 \| 0\.900 \| .* – \|$/);
    expect(rows[3]).toMatch(/^\| A < B \| 2 \| 0\.400 ± 0\.141 \|/);
  });

  it('by the criteria that some run has, in the same order', () => {
    const [head, , b, a] = partsTable(comparison).split('\n');
    expect(head).toMatch(
      /^\| variant \| eval\/rewards\/rubric\/quality \| eval\/greedy\/reward \|/,
    );
    expect(b).toMatch(/^\| B \| – \|/);
    expect(a).toMatch(/^\| A < B \| 0\.700 \|/);
  });

  it('as a figure, one panel per variant', () => {
    const svg = experimentFigure(comparison);
    expect(svg.match(/<g transform/g)).toHaveLength(2);
    expect(svg).toContain('A &lt; B');
    expect(svg).not.toContain('NaN');
  });
});
