import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { parseMetricsJsonl } from '../../analysis/metrics/history.ts';
import type { RunStatus } from '../../workflows/messages.ts';
import type { StageProgress } from './progress.ts';
import { formatDuration, NewsFeed, type Observation, runLines, stageLine } from './view.ts';

const metrics = parseMetricsJsonl(
  '{"epoch":7,"phase":"start","eval/reward":0.2}\n{"epoch":8,"phase":"hot","reward":0.25,"best_of_n_reward":0.5,"eval/reward":0.3}',
  'test',
);
const train = {
  stage: 'train',
  fraction: 0.25,
  amount: '3 of 12 steps',
  rate: null,
  note: null,
  failure: null,
};

function observation(
  change: Partial<RunStatus> = {},
  stages: StageProgress[] = [train],
): Observation {
  const status: RunStatus = {
    run: 'two-phase',
    state: 'running',
    phase: 'hot',
    epoch: 9,
    firstEpoch: 8,
    lastEpoch: 15,
    epochWorkflowId: 'two-phase/hot/epoch-09',
    metrics,
    checkpoint: null,
    stopped: null,
    ...change,
  };
  return { status, stages, notice: null };
}

const plain = (lines: string[]) => lines.map(stripVTControlCharacters);

test('a live run is a heading, a row an epoch and a bar a stage', () => {
  const lines = plain(runLines(observation(), 151_000));
  expect(lines[0]).toBe('two-phase · hot · epoch 9 of 8–15 · 2m 31s');
  expect(lines[2]).toMatch(/^epoch +phase +reward +best-of-N/);
  expect(lines[4]).toMatch(/^ +8 +hot +0\.250 +0\.500 +0\.250/);
  expect(lines.at(-1)).toMatch(/^train +━{6}─{18} {2}25% {2}3 of 12 steps$/);
});

test('a heading names a state that is not the usual one, and no epoch before the first', () => {
  const paused = runLines(observation({ state: 'paused', phase: 'start', epoch: 7 }), 0);
  expect(plain(paused)[0]).toBe('two-phase · paused · start · 0s');
});

test('a stage shows speed and note', () => {
  const rate = { perSecond: 7912.4, unit: 'tokens' };
  const [line] = plain([stageLine({ ...train, rate, note: 'loss 0.17' })]);
  expect(line).toContain('3 of 12 steps · 7,912 tokens/s · loss 0.17');
});

test('a log tells of a failure once, whatever the attempt', () => {
  const feed = new NewsFeed();
  feed.next(observation());
  const failing = {
    ...train,
    note: 'attempt 2 after: the disk is full',
    failure: 'the disk is full',
  };
  expect(feed.next(observation({}, [failing]))).toEqual([
    'epoch 9 (hot): train is tried again after: the disk is full',
  ]);
  const later = { ...failing, note: 'attempt 3 after: the disk is full' };
  expect(feed.next(observation({}, [later]))).toEqual([]);
});

test('a log tells each thing once', () => {
  const feed = new NewsFeed();
  const first = observation({ metrics: metrics.slice(0, 1), epoch: 8 });
  expect(feed.next(first)).toEqual([
    expect.stringMatching(/^epoch 7 \(start\): .*held-out 0\.200/),
    'two-phase: running',
    'epoch 8 (hot): train',
  ]);
  expect(feed.next(first)).toEqual([]);
  expect(feed.next(observation())).toEqual([
    expect.stringMatching(/^epoch 8 \(hot\): reward 0\.250/),
    'epoch 9 (hot): train',
  ]);
});

test('a refit of a reward model stands under the epochs, and in a log once', () => {
  const refits = [
    {
      ...{ reward: 'teacher', epoch: 9, pairs: 90, heldOutPairs: 20 },
      ...{ accuracyBefore: 0.7, accuracyAfter: 0.8, inForce: true },
    },
  ];
  const seen = observation({ refits });
  expect(plain(runLines(seen, 0))).toContainEqual(expect.stringMatching(/'teacher' refitted/));
  const feed = new NewsFeed();
  feed.next(observation());
  expect(feed.next(seen)).toEqual([expect.stringMatching(/'teacher' refitted before epoch 9/)]);
  expect(feed.next(seen)).toEqual([]);
});

test('a log tells a notice again when it comes back', () => {
  const feed = new NewsFeed();
  const away = { ...observation(), notice: 'the server is away' };
  feed.next(observation());
  expect([away, away, observation(), away].map((seen) => feed.next(seen).length)).toEqual([
    1, 0, 0, 1,
  ]);
});

test.each([
  [48_900, '48s'],
  [151_000, '2m 31s'],
  [3_725_000, '1h 02m'],
])('%d ms read as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test('what was damaged and made again is told, in a log once', () => {
  const problem = 'samples/epoch-08/batch.jsonl is damaged';
  const seen = observation({ remade: [{ epoch: 8, problem }] });
  const line = `epoch 8 was made again: ${problem}`;
  expect(plain(runLines(seen, 0)).at(-1)).toBe(line);
  const feed = new NewsFeed();
  expect(feed.next(observation())).not.toContain(line);
  expect(feed.next(seen)).toEqual([line]);
  expect(feed.next(seen)).toEqual([]);
});
