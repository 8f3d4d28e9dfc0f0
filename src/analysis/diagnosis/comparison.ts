// The table of key metrics: each before and after, how it changed, and its status.

import { absent, fixed, share, signed, signedPercent } from '../format.ts';
import { type NumberMetric, passMetrics } from '../metrics/history.ts';
import { changeOf, type Facts, isComparable, isStable, numberOf } from './epoch-facts.ts';

/** `good` and `bad` judge; `note` is worth a look; `none` only describes. */
export type Judgement = 'good' | 'bad' | 'note' | 'none';

export interface Status {
  judgement: Judgement;
  /** In capitals: `DECLINING`. */
  text: string;
}

/** A row of the comparison; cells are text, ready to print. */
export interface ComparisonRow {
  metric: NumberMetric;
  label: string;
  before: string;
  after: string;
  change: string;
  status: Status;
}

interface RowSpec {
  metric: NumberMetric;
  label: string;
  up: Status;
  down: Status;
  withPercent?: false;
}

const good = (text: string): Status => ({ judgement: 'good', text });
const bad = (text: string): Status => ({ judgement: 'bad', text });
const note = (text: string): Status => ({ judgement: 'note', text });
const plain = (text: string): Status => ({ judgement: 'none', text });

const higherIsBetter = { up: good('IMPROVING'), down: bad('DECLINING') };
const calmer = { up: note('LESS STABLE'), down: good('MORE STABLE') };
const closer = { up: bad('WIDENING'), down: good('NARROWING') };
const merelyMoves = { up: plain('RISING'), down: plain('FALLING') };

const rows: readonly RowSpec[] = [
  { metric: 'reward', label: 'Average Reward', ...higherIsBetter },
  { metric: 'best_of_n_reward', label: 'Best-of-N Reward', ...higherIsBetter },
  {
    metric: 'loss',
    label: 'Average Loss',
    up: note('RISING'),
    down: good('IMPROVING'),
  },
  {
    metric: 'reward_variance',
    label: 'Reward Variance',
    ...calmer,
    withPercent: false,
  },
  { metric: 'diversity', label: 'Code Diversity', ...merelyMoves },
  { metric: 'gap', label: 'Best-of-N Gap', ...closer },
  { metric: 'kl', label: 'KL to Reference', ...merelyMoves },
  { metric: 'entropy', label: 'Entropy', ...merelyMoves },
  { metric: 'eval/reward', label: 'Held-out Average', ...higherIsBetter },
  { metric: 'eval/best_of_n_reward', label: 'Held-out Best-of-N', ...higherIsBetter },
  { metric: 'eval/pass_rate', label: 'Held-out Pass Rate', ...higherIsBetter },
  { metric: 'eval/greedy/reward', label: 'Held-out Greedy Reward', ...higherIsBetter },
  { metric: 'eval/greedy/pass_rate', label: 'Held-out Greedy Pass Rate', ...higherIsBetter },
  { metric: 'eval/distinct_programs', label: 'Held-out Distinct Programs', ...merelyMoves },
];

/** A row for every metric that the epoch has; those of the original analysis page come first. */
export function compareEpochs(facts: Facts): ComparisonRow[] {
  return rows
    .flatMap((spec) => (spec.metric === 'eval/pass_rate' ? passRows(facts, spec) : [spec]))
    .filter(({ metric }) => numberOf(facts.after, metric) !== undefined)
    .map((spec) => (spec.metric === 'diversity' ? diversityRow(facts) : numberRow(facts, spec)));
}

/** pass@1 and pass@N replace the pass rate in metrics that have them. */
function passRows({ after }: Facts, spec: RowSpec): RowSpec[] {
  const metrics = passMetrics(after);
  if (metrics.length === 0) return [spec];
  const label = (metric: NumberMetric) => metric.replace('eval/', 'Held-out ');
  return metrics.map((metric) => ({ ...spec, metric, label: label(metric) }));
}

function numberRow(facts: Facts, spec: RowSpec): ComparisonRow {
  const { metric, label } = spec;
  const change = changeOf(facts, metric);
  const percent = spec.withPercent === false ? null : (change?.percent ?? null);
  const suffix = percent === null ? '' : ` (${signedPercent(percent)})`;
  return {
    metric,
    label,
    before: fixed(numberOf(facts.before, metric)),
    after: fixed(numberOf(facts.after, metric)),
    change: change ? `${signed(change.delta)}${suffix}` : absent,
    status: statusOf(facts, spec),
  };
}

function statusOf(facts: Facts, { metric, up, down }: RowSpec): Status {
  const change = changeOf(facts, metric);
  if (!change) return plain('FIRST VALUE');
  if (!isComparable(facts, metric)) return plain('NOT COMPARABLE');
  if (isStable(change)) return plain('STABLE');
  return change.delta > 0 ? up : down;
}

/** Share of unique samples and, in brackets, mean pairwise distance, as one cell. */
function diversityRow(facts: Facts): ComparisonRow {
  const cell = (line: Facts['before']) => {
    const score = numberOf(line, 'diversity_score');
    const unique = share(numberOf(line, 'diversity'));
    return score === undefined ? unique : `${unique} (${fixed(score, 3)})`;
  };
  return {
    metric: 'diversity',
    label: 'Code Diversity',
    before: cell(facts.before),
    after: cell(facts.after),
    ...diversityMovement(facts),
  };
}

/** A share of unique samples that changes by fewer percentage points counts as maintained. */
const maintainedPoints = 1;

function diversityMovement(facts: Facts): Pick<ComparisonRow, 'change' | 'status'> {
  const change = changeOf(facts, 'diversity');
  if (!change) return { change: absent, status: plain('FIRST VALUE') };
  const points = 100 * change.delta;
  const maintained = Math.abs(points) < maintainedPoints;
  const text = maintained ? 'Stable' : `${signed(points, 0)} points`;
  if (!isComparable(facts, 'diversity')) return { change: text, status: plain('NOT COMPARABLE') };
  if (maintained) return { change: text, status: good('MAINTAINED') };
  return { change: text, status: points > 0 ? good('RISING') : note('FALLING') };
}
