// Shared by all benchmarks: repeat, take the median, print each figure as a line of text or of
// JSON. Ratios within one run are more meaningful than figures across machines.

import { execFileSync } from 'node:child_process';
import { spread } from '../src/analysis/metrics/statistics.ts';

export interface Figure {
  name: string;
  median: number;
  /** Smallest and largest round. */
  spread: [number, number];
  unit: string;
  commit: string;
}

const commit = (() => {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { stdio: 'pipe' })
      .toString()
      .trim();
  } catch {
    return 'unknown';
  }
})();

/** Print one figure: JSON with --json, else a line of text. */
export function report(name: string, unit: string, rounds: readonly number[]): Figure {
  const sorted = [...rounds].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
  const figure: Figure = { name, median, spread: [sorted[0]!, sorted.at(-1)!], unit, commit };
  const round = (x: number) => (x >= 100 ? x.toFixed(0) : x.toPrecision(3));
  const [low, high] = figure.spread.map(round);
  const line = `${name.padEnd(60)} ${round(median).padStart(8)} ${unit} (${low} to ${high})`;
  print(figure, line);
  return figure;
}

/** Print mean and standard deviation (over n − 1; null for one value) of a figure over seeds. */
export function reportMean(name: string, values: readonly number[]): void {
  const { mean, deviation } = spread(values)!;
  const line = `${name.padEnd(60)} ${mean.toFixed(4).padStart(8)} ± ${deviation?.toFixed(4) ?? '–'}`;
  print({ name, mean, deviation, values, commit }, line);
}

function print(figure: object, line: string): void {
  console.log(process.argv.includes('--json') ? JSON.stringify(figure) : line);
}

/**
 * Time `run` in `rounds` rounds after one warm-up round, and report amount / second.
 * `run` returns the amount of work that it did.
 */
export async function throughput(
  name: string,
  unit: string,
  rounds: number,
  run: () => Promise<number>,
): Promise<Figure> {
  await run();
  const rates: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    const amount = await run();
    rates.push(amount / ((performance.now() - start) / 1000));
  }
  return report(name, unit, rates);
}

/** Work to time, which returns the amount done; or a rate measured elsewhere. */
export type Contender = (() => Promise<number>) | { rate: () => Promise<number> };

/**
 * Compare the first of `contenders` with the others, in alternating rounds after one warm-up round.
 * Reports each one's figure, and the first's ratio to each of the others, round by round.
 */
export async function compare(
  name: string,
  unit: string,
  rounds: number,
  contenders: Readonly<Record<string, Contender>>,
): Promise<void> {
  const rates = new Map(Object.keys(contenders).map((who) => [who, [] as number[]]));
  for (let round = -1; round < rounds; round++)
    for (const [who, contender] of Object.entries(contenders)) {
      const rate = await rateOf(contender);
      if (round >= 0) rates.get(who)!.push(rate);
    }
  const [[first, own] = ['', []], ...others] = rates;
  report(`${name}, ${first}`, unit, own);
  for (const [who, theirs] of others) {
    report(`${name}, ${who}`, unit, theirs);
    report(
      `${name}, ${first} / ${who}`,
      'x',
      own.map((rate, i) => rate / theirs[i]!),
    );
  }
}

async function rateOf(contender: Contender): Promise<number> {
  if ('rate' in contender) return contender.rate();
  const start = performance.now();
  const amount = await contender();
  return amount / ((performance.now() - start) / 1000);
}
