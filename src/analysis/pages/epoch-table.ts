// One epoch as a row of cells, for terminal tables, Markdown tables and logs.

import { numberOf } from '../diagnosis/epoch-facts.ts';
import { fixed, share } from '../format.ts';
import type { EpochRecord, NumberMetric } from '../metrics/history.ts';

interface Column {
  title: string;
  metric: NumberMetric;
  text: (value: number | undefined) => string;
}

const three = (value: number | undefined) => fixed(value, 3);

const columns: readonly Column[] = [
  { title: 'reward', metric: 'reward', text: three },
  { title: 'best-of-N', metric: 'best_of_n_reward', text: three },
  { title: 'gap', metric: 'gap', text: three },
  { title: 'loss', metric: 'loss', text: three },
  { title: 'KL', metric: 'kl', text: three },
  { title: 'unique', metric: 'diversity', text: share },
  { title: 'held-out', metric: 'eval/reward', text: three },
  { title: 'held-out best', metric: 'eval/best_of_n_reward', text: three },
  { title: 'pass', metric: 'eval/pass_rate', text: share },
];

/** Titles of the cells of epochRow. */
export const epochColumns: readonly string[] = [
  'epoch',
  'phase',
  ...columns.map(({ title }) => title),
];

/** The cells of an epoch, in the order of epochColumns; a dash for a missing number. */
export function epochRow(line: EpochRecord): string[] {
  const cells = columns.map(({ metric, text }) => text(numberOf(line, metric)));
  return [String(line.epoch), line.phase ?? '', ...cells];
}
