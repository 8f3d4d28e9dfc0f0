import { expect, test } from 'vitest';
import { metrics, observation, train } from './observation.fixture.ts';
import { RunLog } from './run-log.ts';

test('a failure is reported once, however many attempts', () => {
  const log = new RunLog();
  log.next(observation());
  const failing = {
    ...train,
    note: 'attempt 2 after: the disk is full',
    failure: 'the disk is full',
  };
  expect(log.next(observation({}, [failing]))).toEqual([
    'epoch 9 (hot): train is retried after: the disk is full',
  ]);
  const later = { ...failing, note: 'attempt 3 after: the disk is full' };
  expect(log.next(observation({}, [later]))).toEqual([]);
});

test('everything is reported once', () => {
  const log = new RunLog();
  const first = observation({ metrics: metrics.slice(0, 1), epoch: 8 });
  expect(log.next(first)).toEqual([
    expect.stringMatching(/^epoch 7 \(start\): .*held-out 0\.200/),
    'two-phase: running',
    'epoch 8 (hot): train',
  ]);
  expect(log.next(first)).toEqual([]);
  expect(log.next(observation())).toEqual([
    expect.stringMatching(/^epoch 8 \(hot\): reward 0\.250/),
    'epoch 9 (hot): train',
  ]);
});

test('a refit of a reward model is reported once', () => {
  const refits = [
    {
      reward: 'teacher',
      epoch: 9,
      pairs: 90,
      heldOutPairs: 20,
      accuracyBefore: 0.7,
      accuracyAfter: 0.8,
      inForce: true,
    },
  ];
  const seen = observation({ refits });
  const log = new RunLog();
  log.next(observation());
  expect(log.next(seen)).toEqual([expect.stringMatching(/'teacher' refitted before epoch 9/)]);
  expect(log.next(seen)).toEqual([]);
});

test('a notice is reported again when it comes back', () => {
  const log = new RunLog();
  const away = { ...observation(), notice: 'the server is away' };
  log.next(observation());
  expect([away, away, observation(), away].map((seen) => log.next(seen).length)).toEqual([
    1, 0, 0, 1,
  ]);
});

test('an epoch repeated because of damage is reported once', () => {
  const problem = 'samples/epoch-08/batch.jsonl is damaged';
  const seen = observation({ remade: [{ epoch: 8, problem }] });
  const line = `epoch 8 was repeated: ${problem}`;
  const log = new RunLog();
  expect(log.next(observation())).not.toContain(line);
  expect(log.next(seen)).toEqual([line]);
  expect(log.next(seen)).toEqual([]);
});
