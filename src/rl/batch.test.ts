import { describe, expect, it } from 'vitest';
import { rlaifSchema } from '../config/schema/rlaif.ts';
import type { ScoredRollout } from '../records/rollouts.ts';
import { buildBatch } from './batch.ts';

const group = (promptId: string, rewards: (number | null)[]): ScoredRollout[] =>
  rewards.map((reward, sample) => ({
    promptId,
    sample,
    tokens: [1],
    logprobs: [-1],
    text: '',
    finish: 'stop',
    reward,
    rewards: {},
  }));
const settings = (changes: object = {}) => rlaifSchema.parse({ algorithm: 'baseline', ...changes });
const scored = [
  ...group('a', [0.1, 0.5, 0.9, 0.5]),
  ...group('b', [0.3, 0.3]),
  ...group('c', [null, 0.2, 0.6]),
];
const kept = (changes: object) =>
  buildBatch(scored, settings(changes)).samples.map((s) => `${s.promptId}${s.sample}`);

describe('buildBatch', () => {
  it('leaves a missing reward out of its group and drops constant groups', () => {
    const { samples, counts } = buildBatch(scored, settings({ reward_weight: 2 }));
    expect(samples.map((s) => s.promptId).join('')).toBe('aaaacc');
    [-0.8, 0, 0.8, 0, -0.4, 0.4].forEach((advantage, i) => {
      expect(samples[i]!.advantage).toBeCloseTo(advantage, 10);
    });
    expect(counts).toEqual({
      scored: 8,
      missing: 1,
      constantGroups: 1,
      truncated: 0,
      belowThreshold: 0,
      notBest: 0,
      kept: 6,
    });
  });

  it('drops groups with too few rewards, but not groups that were sampled that small', () => {
    const all = [...scored, ...group('d', [null, 0.2, null]), ...group('e', [0.4])];
    const { samples, dropped } = buildBatch(all, settings({ algorithm: 'reinforce' }));
    expect(samples.map((s) => s.promptId).join('')).toBe('aaaabbcce');
    expect(dropped.at(-1)).toEqual({
      promptId: 'd',
      sample: 1,
      reason: 'min_group_size',
      advantage: null,
    });
    const strict = settings({ algorithm: 'reinforce', min_group_size: 3 });
    expect(
      buildBatch(all, strict)
        .samples.map((s) => s.promptId)
        .join(''),
    ).toBe('aaaabbe');
  });

  it('gives the reason for each dropped sample', () => {
    const all = [
      ...scored,
      ...group('d', [0.2, 0.7]).map((s) => ({ ...s, finish: 'length' as const })),
    ];
    const changes = { mask_truncated: true, reward_threshold: 0.5, best_of_n_training: true };
    const { samples, dropped } = buildBatch(all, settings(changes));
    const reasons = dropped.map(({ promptId, sample, reason }) => `${promptId}${sample} ${reason}`);
    expect(reasons).toEqual([
      'c0 missing_reward',
      ...['b0 constant_group', 'b1 constant_group'],
      ...['d0 mask_truncated', 'd1 mask_truncated'],
      ...['a0 reward_threshold', 'c1 reward_threshold'],
      ...['a1 best_of_n_training', 'a3 best_of_n_training'],
    ]);
    expect(dropped.map(({ advantage }) => advantage !== null)).toEqual([
      ...[false, false, false],
      ...[true, true, true, true, true, true],
    ]);
    expect(samples.length + dropped.length).toBe(all.length);
  });

  it('keeps constant groups if the advantage is the reward itself', () => {
    expect(kept({ algorithm: 'reinforce' })).toContain('b0');
  });

  it('drops samples under the threshold, after advantages over the whole group', () => {
    const { samples, counts } = buildBatch(scored, settings({ reward_threshold: 0.5 }));
    expect(samples.map((s) => s.reward)).toEqual([0.5, 0.9, 0.5, 0.6]);
    expect(samples[0]!.advantage).toBeCloseTo(0, 10);
    expect(counts.belowThreshold).toBe(2);
  });

  it('drops truncated samples, which still count in their group', () => {
    const cut = group('a', [0.2, 0.8]).map((s) =>
      s.sample === 0 ? { ...s, finish: 'length' as const } : s,
    );
    const { samples, counts } = buildBatch(cut, settings({ mask_truncated: true }));
    expect(samples.map(({ sample, advantage }) => [sample, advantage])).toEqual([
      [1, expect.closeTo(0.3, 10)],
    ]);
    expect(counts).toMatchObject({ truncated: 1, belowThreshold: 0, kept: 1 });
    expect(buildBatch(cut, settings()).counts).toMatchObject({ truncated: 0, kept: 2 });
  });

  it('keeps the best of every group, the first of equals', () => {
    expect(kept({ best_of_n_training: true })).toEqual(['a2', 'c2']);
    expect(kept({ best_of_n_training: true, algorithm: 'reinforce' })).toEqual(['a2', 'b0', 'c2']);
  });
});
