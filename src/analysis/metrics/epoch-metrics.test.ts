import { describe, expect, it } from 'vitest';
import { rlaifSchema } from '../../config/schema/rlaif.ts';
import { trainingSchema } from '../../config/schema/training.ts';
import type { ScoredRollout } from '../../records/rollouts.ts';
import { startMetrics, toEpochMetrics } from './epoch-metrics.ts';
import { parseMetricsJsonl } from './history.ts';
import { summarizeSamples } from './sample-summary.ts';

const settings = { rlaif: rlaifSchema.parse({}), training: trainingSchema.parse({}) };
const stats = {
  steps: 2,
  totalSteps: 4,
  loss: 0.17,
  policy_loss: -0.02,
  kl: 0.03,
  kl_k1: 0.025,
  kl_coefficient: 0.05,
  entropy: 0.6,
  grad_norm: 1.2,
  learning_rate: 1e-4,
  clip_low: 0.01,
  clip_high: 0.02,
};

function samples(...rewards: (number | null)[]): ScoredRollout[] {
  return rewards.map((reward, sample) => ({
    promptId: 'p',
    sample,
    tokens: [1, 2, 3],
    logprobs: [0, 0, 0],
    text: String(sample),
    finish: 'stop' as const,
    reward,
    rewards: { rubric: { value: reward, criteria: { quality: 0.5 } } },
  }));
}

const heldOut = summarizeSamples(samples(0.2, 0.4));

describe('toEpochMetrics', () => {
  const metrics = toEpochMetrics({
    epoch: 8,
    phase: 'exploration',
    settings,
    train: summarizeSamples(samples(0, 1, null)),
    heldOut,
    greedy: summarizeSamples(samples(0.9)),
    counts: { kept: 2 },
    stats,
  });

  it('keeps the two splits separate', () => {
    expect(metrics).toMatchObject({ epoch: 8, reward: 0.5, best_of_n_reward: 1, gap: 0.5 });
    expect(metrics['eval/reward']).toBeCloseTo(0.3, 12);
    expect(metrics['eval/best_of_n_reward']).toBe(0.4);
    expect(metrics['eval/greedy/reward']).toBe(0.9);
    expect(metrics['eval/greedy/pass_rate']).toBeNull();
    expect(metrics['rewards/rubric/mean']).toBe(0.5);
    expect(metrics['eval/rewards/rubric/mean']).toBeCloseTo(0.3, 12);
    expect(metrics['eval/rewards/rubric/std']).toBeCloseTo(0.1, 12);
    expect(metrics['eval/pass_rate']).toBeNull();
    expect(metrics).toMatchObject({ 'eval/pass@1': null, 'eval/pass@2': null });
  });

  it('includes the results of filter and trainer', () => {
    expect(metrics).toMatchObject({ samples: 3, samples_missing: 1, samples_trained: 2, steps: 2 });
    expect(metrics).toMatchObject({ loss: 0.17, kl: 0.03, kl_k1: 0.025 });
    expect(metrics['clip_ratio/high_mean']).toBe(0.02);
    expect(metrics['clip_ratio/region_mean']).toBeCloseTo(0.03, 12);
  });

  it('survives a round trip through metrics.jsonl byte by byte', () => {
    const text = `${JSON.stringify(metrics)}\n`;
    const [read] = parseMetricsJsonl(text, 'metrics.jsonl');
    expect(`${JSON.stringify(read)}\n`).toBe(text);
  });

  it('has nulls for an epoch that trained nothing', () => {
    const parts = { epoch: 9, phase: 'x', settings, train: heldOut, heldOut, counts: { kept: 0 } };
    const idle = toEpochMetrics({ ...parts, greedy: null, stats: null });
    expect(idle).toMatchObject({ loss: null, kl: null, steps: 0, samples_trained: 0 });
    expect(idle['clip_ratio/region_mean']).toBeNull();
  });
});

describe('startMetrics', () => {
  it('has held-out metrics, and nulls for training metrics', () => {
    const start = startMetrics(7, heldOut, null);
    expect(start).toMatchObject({ epoch: 7, phase: 'start', reward: null, loss: null, samples: 0 });
    expect(start['eval/reward']).toBeCloseTo(0.3, 12);
    expect(start.settings).toBeNull();
  });

  it('accepts a summary of a version without pass@k', () => {
    const { pass_at: _, ...earlier } = heldOut;
    expect(startMetrics(7, earlier, null)).not.toHaveProperty('eval/pass@1');
  });

  it('refuses held-out samples without scores', () => {
    const unscored = summarizeSamples(samples(null, null));
    expect(() => startMetrics(7, unscored, null)).toThrow(
      /epoch 7.*found 2 samples and none with a score/,
    );
  });
});
