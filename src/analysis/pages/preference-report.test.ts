import { describe, expect, it } from 'vitest';
import { renderPreferenceReport, suggestScale, summarizePairs } from './preference-report.ts';

const pair = (margin: number) => ({ chosen: margin, rejected: 0 });
const logit = (p: number) => Math.log(p / (1 - p));

describe('summarizePairs', () => {
  it('counts correct pairs, ties as half, and leaves out pairs without a score', () => {
    const rows = [pair(1), pair(2), pair(-1), pair(0), { chosen: null, rejected: 1 }];
    const found = summarizePairs(rows);
    expect(found).toMatchObject({ pairs: 5, missing: 1, accuracy: 2.5 / 4 });
    const loss = [1, 2, -1, 0].reduce((sum, m) => sum + Math.log(1 + Math.exp(-m)), 0) / 4;
    expect(found.loss).toBeCloseTo(loss, 12);
  });

  it('is calibrated if 8 of 10 pairs predicted at 80% are correct', () => {
    const margin = logit(0.8);
    const rows = Array.from({ length: 10 }, (_, i) => pair(i < 8 ? margin : -margin));
    expect(summarizePairs(rows).expected_calibration_error).toBeCloseTo(0, 12);
    const sure = Array.from({ length: 10 }, (_, i) => pair(i < 8 ? 50 : -50));
    const found = summarizePairs(sure);
    expect(found.expected_calibration_error).toBeCloseTo(0.2, 12);
    expect(found.calibration.at(-1)).toMatchObject({ pairs: 10, predicted: 1, observed: 0.8 });
    expect(found.loss).toBeCloseTo(10, 6);
  });

  it('weights bins by their pairs', () => {
    // Three pairs at 60%, all right; one at 90%, wrong.
    const rows = [...Array(3).fill(pair(logit(0.62))), pair(-logit(0.92))];
    const expected = (3 * 0.38 + 0.92) / 4;
    expect(summarizePairs(rows).expected_calibration_error).toBeCloseTo(expected, 12);
  });

  it('is empty without pairs', () => {
    expect(summarizePairs([])).toMatchObject({
      pairs: 0,
      accuracy: null,
      loss: null,
      expected_calibration_error: null,
    });
  });
});

it('suggests the mean and the deviation of all scores', () => {
  const rows = [
    { chosen: 4, rejected: 0 },
    { chosen: 4, rejected: null },
  ];
  expect(suggestScale(rows).shift).toBeCloseTo(8 / 3, 12);
  expect(suggestScale(rows).scale).toBeCloseTo(Math.sqrt(32 / 9), 12);
  expect(suggestScale([])).toEqual({ shift: 0, scale: 1 });
});

it('renders a page with every number', () => {
  const rows = [pair(1), pair(2), pair(-1), pair(3)];
  const page = renderPreferenceReport({
    name: 'judge',
    base: 'models/policy',
    trained: { pairs: 90, too_long: 2 },
    epochs: [
      { epoch: 1, step: 3, loss: 0.6, accuracy: 0.7, held_out_loss: 0.5, held_out_accuracy: 0.75 },
    ],
    held_out: summarizePairs(rows),
    suggested: suggestScale(rows),
  });
  expect(page).toContain('# Reward model judge');
  expect(page).toContain('| 4 | 0 | 0.7500 |');
  expect(page).toContain('| 1 | 3 | 0.6000 | 0.7000 | 0.5000 | 0.7500 |');
  expect(page).toContain('on 90 pairs, 2 of them left out as too long');
  expect(page).toContain('| 95% to 100% | 1 |');
  expect(page).toContain('`shift: 0.6250`');
});
