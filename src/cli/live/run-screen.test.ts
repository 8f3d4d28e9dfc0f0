import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { observation, train } from './observation.fixture.ts';
import { formatDuration, runLines, stageLine } from './run-screen.ts';

const plain = (lines: string[]) => lines.map(stripVTControlCharacters);

test('a live run is a heading, a row for each epoch and a bar for each stage', () => {
  const lines = plain(runLines(observation(), 151_000));
  expect(lines[0]).toBe('two-phase · hot · epoch 9 of 8–15 · 2m 31s');
  expect(lines[2]).toMatch(/^epoch +phase +reward +best-of-N/);
  expect(lines[4]).toMatch(/^ +8 +hot +0\.250 +0\.500 +0\.250/);
  expect(lines.at(-1)).toMatch(/^train +━{6}─{18} {2}25% {2}3 of 12 steps$/);
});

test('a heading names a state other than running, and no epoch before the first', () => {
  const paused = runLines(observation({ state: 'paused', phase: 'start', epoch: 7 }), 0);
  expect(plain(paused)[0]).toBe('two-phase · paused · start · 0s');
});

test('a stage shows speed and note', () => {
  const rate = { perSecond: 7912.4, unit: 'tokens' };
  const [line] = plain([stageLine({ ...train, rate, note: 'loss 0.17' })]);
  expect(line).toContain('3 of 12 steps · 7,912 tokens/s · loss 0.17');
});

test.each([
  [48_900, '48s'],
  [151_000, '2m 31s'],
  [3_725_000, '1h 02m'],
])('%d ms is shown as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test('refits of a reward model come below the epochs, and repeated epochs last', () => {
  const refit = {
    reward: 'teacher',
    epoch: 9,
    pairs: 90,
    heldOutPairs: 20,
    accuracyBefore: 0.7,
    accuracyAfter: 0.8,
    inForce: true,
  };
  const remade = [{ epoch: 8, problem: 'samples/epoch-08/batch.jsonl is damaged' }];
  const lines = plain(runLines(observation({ refits: [refit], remade }), 0));
  expect(lines).toContainEqual(expect.stringMatching(/'teacher' refitted/));
  expect(lines.at(-1)).toBe('epoch 8 was repeated: samples/epoch-08/batch.jsonl is damaged');
});
