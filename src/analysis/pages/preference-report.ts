// Evaluates a reward model on held-out pairs: accuracy, calibration and the spread of its scores.

import { fixed, share } from '../format.ts';
import { mean, standardDeviation } from '../metrics/statistics.ts';
import { markdownTable, renderPage } from './markdown.ts';

/** Scores of a pair's two answers; null for an answer that was too long. */
export interface ScoredPair {
  chosen: number | null;
  rejected: number | null;
}

/** A bin of pairs, by the probability of the answer that the model prefers. */
export interface CalibrationBin {
  /** Bounds of the probability; only the last bin includes its upper bound. */
  from: number;
  to: number;
  pairs: number;
  /** Means over its pairs: predicted probability, and share that was right. Null without pairs. */
  predicted: number | null;
  observed: number | null;
}

export interface ScoreSpread {
  mean: number | null;
  std: number | null;
  /** Minimum, quartiles and maximum. */
  quantiles: number[];
}

export interface PairsSummary {
  pairs: number;
  /** Pairs without a score, excluded from all other figures. */
  missing: number;
  /** Share of pairs whose chosen answer has the higher score; a tie is half a pair. */
  accuracy: number | null;
  /** Mean of −log σ(margin). */
  loss: number | null;
  /** Mean difference of predicted and observed over the bins, weighted by their pairs. */
  expected_calibration_error: number | null;
  calibration: CalibrationBin[];
  scores: { chosen: ScoreSpread; rejected: ScoreSpread };
}

const bins = 10;
const lowest = 0.5;

/**
 * Accuracy, loss and calibration of held-out pairs. The probability of the preferred answer,
 * σ(|margin|), lies in [0.5, 1]; equal-width bins over it and the expected calibration error follow
 * arXiv 1706.04599, section 2.
 */
export function summarizePairs(rows: readonly ScoredPair[]): PairsSummary {
  const scored = rows.flatMap(({ chosen, rejected }) =>
    chosen === null || rejected === null ? [] : [{ chosen, rejected, margin: chosen - rejected }],
  );
  const calibration = calibrate(scored.map(({ margin }) => margin));
  const error = calibration.reduce(
    (sum, bin) => sum + bin.pairs * Math.abs((bin.predicted ?? 0) - (bin.observed ?? 0)),
    0,
  );
  return {
    pairs: rows.length,
    missing: rows.length - scored.length,
    accuracy: mean(scored.map(({ margin }) => rightness(margin))),
    loss: mean(scored.map(({ margin }) => softplus(-margin))),
    expected_calibration_error: scored.length > 0 ? error / scored.length : null,
    calibration,
    scores: {
      chosen: spreadOf(scored.map(({ chosen }) => chosen)),
      rejected: spreadOf(scored.map(({ rejected }) => rejected)),
    },
  };
}

const rightness = (margin: number) => (Math.sign(margin) + 1) / 2;
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
/** log(1 + eˣ), for any x. */
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

function calibrate(margins: readonly number[]): CalibrationBin[] {
  const width = (1 - lowest) / bins;
  const said = margins.map((margin) => ({
    probability: sigmoid(Math.abs(margin)),
    right: rightness(margin),
  }));
  const binOf = (probability: number) =>
    Math.min(bins - 1, Math.floor((probability - lowest) / width));
  const members = Map.groupBy(said, ({ probability }) => binOf(probability));
  return Array.from({ length: bins }, (_, i) => {
    const found = members.get(i) ?? [];
    return {
      from: lowest + i * width,
      to: lowest + (i + 1) * width,
      pairs: found.length,
      predicted: mean(found.map(({ probability }) => probability)),
      observed: mean(found.map(({ right }) => right)),
    };
  });
}

function spreadOf(scores: readonly number[]): ScoreSpread {
  const sorted = scores.toSorted((a, b) => a - b);
  const at = (q: number) => sorted[Math.round(q * (sorted.length - 1))]!;
  return {
    mean: mean(scores),
    std: standardDeviation(scores),
    quantiles: sorted.length > 0 ? [0, 0.25, 0.5, 0.75, 1].map(at) : [],
  };
}

/** An epoch of training: its own pairs during training, the held-out pairs at its end. */
export interface PreferenceEpoch {
  epoch: number;
  /** Optimiser steps since the start. */
  step: number;
  loss: number;
  accuracy: number;
  held_out_loss: number | null;
  held_out_accuracy: number | null;
}

/** The content of report.json. */
export interface PreferenceReport {
  name: string;
  base: string;
  /** Training pairs, and how many of them were too long. */
  trained: { pairs: number; too_long: number };
  epochs: PreferenceEpoch[];
  held_out: PairsSummary;
  /** For a run file: maps the held-out scores' mean to 0.5, and one deviation above it to 0.73. */
  suggested: { shift: number; scale: number };
}

/** Shift and scale that spread the scores of both answers over [0, 1]. */
export function suggestScale(rows: readonly ScoredPair[]): { shift: number; scale: number } {
  const scores = rows.flatMap(({ chosen, rejected }) => [chosen, rejected]);
  const known = scores.filter((score) => score !== null);
  return { shift: mean(known) ?? 0, scale: standardDeviation(known) || 1 };
}

/** report.md */
export function renderPreferenceReport(report: PreferenceReport): string {
  const { held_out, epochs, trained, suggested } = report;
  return renderPage(`Reward model ${report.name}`, [
    {
      title: 'Held-out pairs',
      body: markdownTable(
        ['pairs', 'without a score', 'accuracy', 'loss', 'expected calibration error'],
        [
          [
            String(held_out.pairs),
            String(held_out.missing),
            fixed(held_out.accuracy),
            fixed(held_out.loss),
            fixed(held_out.expected_calibration_error),
          ],
        ],
      ),
    },
    {
      title: 'Training',
      body: `From \`${report.base}\` on ${trained.pairs} pairs, ${trained.too_long} of them left out as too long.\n\n${epochTable(epochs)}`,
    },
    {
      title: 'Calibration',
      body: `How confident the model was in the answer it preferred, and how often it was right.\n\n${calibrationTable(held_out.calibration)}`,
    },
    { title: 'Scores', body: scoreTable(held_out.scores) },
    {
      title: 'In a run file',
      body: `\`shift: ${fixed(suggested.shift)}\` and \`scale: ${fixed(suggested.scale)}\` map the mean of these scores to 0.5 and one standard deviation above it to 0.73.`,
    },
  ]);
}

function epochTable(epochs: readonly PreferenceEpoch[]): string {
  return markdownTable(
    ['epoch', 'steps', 'loss', 'accuracy', 'held-out loss', 'held-out accuracy'],
    epochs.map((line) => [
      String(line.epoch),
      String(line.step),
      fixed(line.loss),
      fixed(line.accuracy),
      fixed(line.held_out_loss),
      fixed(line.held_out_accuracy),
    ]),
  );
}

function calibrationTable(calibration: readonly CalibrationBin[]): string {
  return markdownTable(
    ['probability', 'pairs', 'predicted', 'observed'],
    calibration.map(({ from, to, pairs, predicted, observed }) => [
      `${share(from)} to ${share(to)}`,
      String(pairs),
      fixed(predicted, 3),
      fixed(observed, 3),
    ]),
  );
}

function scoreTable({ chosen, rejected }: PairsSummary['scores']): string {
  const row = (name: string, { mean, std, quantiles }: ScoreSpread) => [
    name,
    fixed(mean, 3),
    fixed(std, 3),
    ...Array.from({ length: 5 }, (_, i) => fixed(quantiles[i], 3)),
  ];
  return markdownTable(
    ['answers', 'mean', 'std', 'min', '25%', 'median', '75%', 'max'],
    [row('chosen', chosen), row('rejected', rejected)],
  );
}
