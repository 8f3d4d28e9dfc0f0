// Compares the variants of an experiment: final held-out metrics as mean and standard deviation over
// seeds. The figure is in experiment-figure.ts.

import type { EpochMetrics } from '../../records/metrics.ts';
import { type Spread, spread } from '../metrics/statistics.ts';
import { markdownTable } from './markdown.ts';

/** The runs of an experiment with their metrics, the start line first. */
export interface ExperimentResults {
  variants: readonly { name: string; title: string }[];
  runs: { variant: string; seed: number; metrics: EpochMetrics[] }[];
}

/** The metrics compared at the end of a run, with their column headings. */
const columns = {
  'eval/reward': 'held-out reward',
  'eval/best_of_n_reward': 'best-of-N',
  'eval/gap': 'gap',
  'eval/reward_variance': 'variance',
  'eval/pass_rate': 'tests passed',
  diversity: 'unique',
  kl: 'KL',
} as const satisfies Partial<Record<keyof EpochMetrics, string>>;
type Column = keyof typeof columns;

export interface VariantComparison {
  name: string;
  title: string;
  seeds: number[];
  /** Null if no run measured it. */
  end: Record<Column, Spread | null>;
  /**
   * Components of the final held-out reward and related metrics: every criterion, the greedy
   * completions' reward, and entropy and length of the training samples.
   */
  parts: Record<string, Spread | null>;
  /** Held-out reward per epoch, from the start line on. */
  curve: ({ epoch: number } & Spread)[];
}

export function compareVariants({ variants, runs }: ExperimentResults): VariantComparison[] {
  const parts = partsOf(runs.map(({ metrics }) => metrics.at(-1)!));
  return variants.map(({ name, title }) => {
    const own = runs.filter(({ variant }) => variant === name);
    const last = own.map(({ metrics }) => metrics.at(-1)!);
    const spreadOf = (key: keyof EpochMetrics) =>
      spread(last.map((line) => line[key]).filter((value) => typeof value === 'number'));
    return {
      name,
      title,
      seeds: own.map(({ seed }) => seed),
      end: mapKeys(Object.keys(columns) as Column[], spreadOf),
      parts: mapKeys(parts, spreadOf),
      curve: curveOf(own.map(({ metrics }) => metrics)),
    };
  });
}

function mapKeys<Key extends string, Value>(
  keys: readonly Key[],
  of: (key: Key) => Value,
): Record<Key, Value> {
  return Object.fromEntries(keys.map((key) => [key, of(key)])) as Record<Key, Value>;
}

/** Metrics other than the reward, by their names in metrics.jsonl. */
function partsOf(lines: readonly EpochMetrics[]): (keyof EpochMetrics & string)[] {
  const criteria = lines.flatMap((line) => Object.keys(line).filter((key) => criterion.test(key)));
  const others = ['eval/greedy/reward', 'entropy', 'completions/mean_length'] as const;
  return [...(new Set(criteria) as Set<keyof EpochMetrics & string>), ...others];
}

const criterion = /^eval\/rewards\/[^/]+\/(?!mean$|std$)/;

function curveOf(runs: readonly EpochMetrics[][]): VariantComparison['curve'] {
  const epochs = [...new Set(runs.flat().map(({ epoch }) => epoch))].sort((a, b) => a - b);
  return epochs.map((epoch) => {
    const lines = runs.flatMap((metrics) => metrics.filter((line) => line.epoch === epoch));
    return { epoch, ...spread(lines.map((line) => line['eval/reward']))! };
  });
}

/** A Markdown table of final metrics, best held-out reward first. */
export function experimentTable(comparison: readonly VariantComparison[]): string {
  return markdownTable(
    ['variant', 'seeds', ...Object.values(columns)],
    ranked(comparison).map(({ title, seeds, end }) => [
      title,
      String(seeds.length),
      ...Object.keys(columns).map((key) => cell(end[key as Column])),
    ]),
  );
}

/** A Markdown table of the components of the reward, in the same order. */
export function partsTable(comparison: readonly VariantComparison[]): string {
  const parts = Object.keys(comparison[0]?.parts ?? {});
  return markdownTable(
    ['variant', ...parts],
    ranked(comparison).map((variant) => [
      variant.title,
      ...parts.map((key) => cell(variant.parts[key]!)),
    ]),
  );
}

function ranked(comparison: readonly VariantComparison[]): VariantComparison[] {
  const rank = ({ end }: VariantComparison) => end['eval/reward']?.mean ?? Number.NEGATIVE_INFINITY;
  return [...comparison].sort((a, b) => rank(b) - rank(a));
}

function cell(value: Spread | null): string {
  if (value === null) return '–';
  const deviation = value.deviation === null ? '' : ` ± ${value.deviation.toFixed(3)}`;
  return value.mean.toFixed(3) + deviation;
}
