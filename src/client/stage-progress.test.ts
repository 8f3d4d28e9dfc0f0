import { expect, test } from 'vitest';
import type { HeartbeatDetails } from '../activities/contract.ts';
import { resolveConfig } from '../config/load.ts';
import { type PendingActivity, stagesOf } from './stage-progress.ts';

const config = resolveConfig({
  model: { path: 'm' },
  prompts: { train: 'a', held_out: 'b' },
  engine: { shard_prompts: 8 },
  rlaif: { prompts_per_epoch: 96 },
  evaluation: { prompts: 32 },
  phases: [{ name: 'hot', epochs: [8, 9], rlaif: { prompts_per_epoch: 64 } }],
});

function pending(type: string, change: Partial<PendingActivity> = {}): PendingActivity {
  return {
    type,
    started: true,
    attempt: 1,
    heartbeat: null,
    workedMs: 0,
    lastFailure: null,
    ...change,
  };
}

function beat(stage: HeartbeatDetails['stage'], done: number, total: number, unit = 'tokens') {
  return { heartbeat: { stage, done, total, unit } };
}

test('shards that are not pending are done, and running ones count as far as they reported', () => {
  const generating = [
    pending('generate', { ...beat('generate', 50, 100), workedMs: 500 }),
    pending('generate', { started: false }),
  ];
  const [generate, score] = stagesOf([...generating, pending('score')], config, 8);
  // The phase's own 64 prompts make 8 shards: 6 are generated, 5 of them scored.
  expect(generate).toMatchObject({ stage: 'generate', fraction: 6.5 / 8, amount: '6 of 8 shards' });
  expect(generate?.rate).toEqual({ perSecond: 100, unit: 'tokens' });
  expect(score).toMatchObject({ stage: 'score', fraction: 5 / 8, amount: '5 of 8 shards' });
});

test('held-out prompts have their own number of shards, twice that with greedy samples', () => {
  const generating = [pending('generate', beat('evaluate', 1, 2))];
  const [both] = stagesOf(generating, config, 8);
  expect(both).toMatchObject({ stage: 'held-out generate', fraction: 7.5 / 8 });
  const evaluation = { ...config.evaluation, greedy: false };
  const [one] = stagesOf(generating, { ...config, evaluation }, 8);
  expect(one).toMatchObject({ stage: 'held-out generate', fraction: 3.5 / 4 });
  expect(stagesOf([pending('score')], config, null)[0]?.stage).toBe('held-out score');
});

test('without a configuration only pending shards count', () => {
  const [stage] = stagesOf([pending('generate'), pending('generate')], null, 8);
  expect(stage).toMatchObject({ fraction: 0, amount: '0 of 2 shards' });
});

test('a refit of a reward model, between epochs, counts its steps', () => {
  const beats = beat('train', 3, 12, 'steps');
  const [stage] = stagesOf([pending('trainRewardModel', beats)], config, null);
  expect(stage).toMatchObject({ stage: 'refit', amount: '3 of 12 steps' });
});

test('training counts its own steps', () => {
  const [stage] = stagesOf([pending('train', beat('train', 3, 12, 'steps'))], config, 8);
  expect(stage).toMatchObject({ stage: 'train', fraction: 0.25, amount: '3 of 12 steps' });
  expect(stagesOf([pending('train')], config, 8)[0]).toMatchObject({
    fraction: 0,
    amount: 'starting',
  });
});

test('a retry is reported before the note of the activity', () => {
  const heartbeat = { ...beat('train', 3, 12).heartbeat, note: 'loss 0.17' };
  const retried = pending('train', { heartbeat, attempt: 2, lastFailure: 'heartbeat timeout' });
  expect(stagesOf([retried], config, 8)[0]?.note).toBe('attempt 2 after: heartbeat timeout');
  expect(stagesOf([pending('train', { heartbeat })], config, 8)[0]?.note).toBe('loss 0.17');
});

test('work that no worker has started waits for one', () => {
  const [stage] = stagesOf([pending('train', { started: false })], config, 8);
  expect(stage?.note).toBe('waiting for a worker');
});

test('a short activity that fails is shown with the reason', () => {
  const failing = pending('analyze', { attempt: 3, lastFailure: 'the disk is full' });
  expect(stagesOf([failing, pending('filter')], config, 8)).toMatchObject([
    { stage: 'analyze', note: 'attempt 3 after: the disk is full', failure: 'the disk is full' },
  ]);
});

test('short activities are not stages', () => {
  expect(stagesOf([pending('analyze'), pending('filter')], config, 8)).toEqual([]);
});
