// Means, variances and histograms of lists of rewards. Sums run in list order, so the same samples
// give the same bits.

/** Arithmetic mean; null for an empty list. */
export function mean(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Population variance (divides by the count); null for an empty list. */
export function variance(values: readonly number[]): number | null {
  const center = mean(values);
  return center === null ? null : mean(values.map((value) => (value - center) ** 2));
}

/** Square root of the population variance; null for an empty list. */
export function standardDeviation(values: readonly number[]): number | null {
  const spread = variance(values);
  return spread === null ? null : Math.sqrt(spread);
}

/** A mean and its sample standard deviation (divides by n − 1), null for a single value. */
export interface Spread {
  mean: number;
  deviation: number | null;
}

/** Mean and sample standard deviation, for example over seeds; null for an empty list. */
export function spread(values: readonly number[]): Spread | null {
  const center = mean(values);
  if (center === null) return null;
  const squares = values.reduce((sum, value) => sum + (value - center) ** 2, 0);
  const deviation = values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : null;
  return { mean: center, deviation };
}

/** Bins of a reward histogram, each a tenth of [0, 1]. */
const histogramBins = 10;

/** Share of values in each tenth of [0, 1]; 1.0 falls in the last. Null for an empty list. */
export function histogram(values: readonly number[]): number[] | null {
  if (values.length === 0) return null;
  const counts = new Array<number>(histogramBins).fill(0);
  for (const value of values) {
    const bin = Math.min(histogramBins - 1, Math.max(0, Math.floor(value * histogramBins)));
    counts[bin]! += 1;
  }
  return counts.map((count) => count / values.length);
}

/**
 * Spearman's rank correlation in [-1, 1], ties at their mean rank; null if either side is constant
 * or there are fewer than two pairs.
 */
export function spearman(a: readonly number[], b: readonly number[]): number | null {
  const [x, y] = [ranks(a), ranks(b)];
  const [meanX, meanY] = [mean(x), mean(y)];
  const deviations = [standardDeviation(x), standardDeviation(y)];
  if (meanX === null || meanY === null || deviations.includes(0)) return null;
  const products = x.map((value, i) => (value - meanX) * (y[i]! - meanY));
  return mean(products)! / (deviations[0]! * deviations[1]!);
}

function ranks(values: readonly number[]): number[] {
  const sorted = values.toSorted((a, b) => a - b);
  return values.map((value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2);
}

/**
 * Cohen's kappa of two judges over binary answers: agreement beyond chance, at most 1. Null if
 * both always gave the same single answer, or gave none.
 */
export function cohensKappa(a: readonly number[], b: readonly number[]): number | null {
  const observed = mean(a.map((value, i) => Number(value === b[i])));
  const [p, q] = [mean(a), mean(b)];
  if (observed === null || p === null || q === null) return null;
  const chance = p * q + (1 - p) * (1 - q);
  return chance === 1 ? null : (observed - chance) / (1 - chance);
}
