// The table of key metrics: each number before and after, how it moved, and a verdict on it.

import { type NumberMetric, passMetrics } from '../metrics/history.ts';
import { absent, fixed, share, signed, signedPercent } from '../pages/format.ts';
import { changeOf, type Facts, isComparable, isStable, numberOf } from './epoch-facts.ts';

/** `good` and `bad` are judgements; `note` is worth a look; `none` says only what is. */
export type Judgement = 'good' | 'bad' | 'note' | 'none';

export interface Verdict {
  judgement: Judgement;
  /** In capitals: `DECLINING`. */
  word: string;
}

/** A row of the comparison; cells are text, ready to print. */
export interface ComparisonRow {
  metric: NumberMetric;
  label: string;
  before: string;
  after: string;
  change: string;
  verdict: Verdict;
}

interface RowSpec {
  metric: NumberMetric;
  label: string;
  up: Verdict;
  down: Verdict;
  withPercent?: false;
}

const good = (word: string): Verdict => ({ judgement: 'good', word });
const bad = (word: string): Verdict => ({ judgement: 'bad', word });
const note = (word: string): Verdict => ({ judgement: 'note', word });
const plain = (word: string): Verdict => ({ judgement: 'none', word });

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

/** Rows for every metric that the epoch has; those of the seed's own table come first. */
export function compareEpochs(facts: Facts): ComparisonRow[] {
  return rows
    .flatMap((spec) => (spec.metric === 'eval/pass_rate' ? passRows(facts, spec) : [spec]))
    .filter(({ metric }) => numberOf(facts.after, metric) !== undefined)
    .map((spec) => (spec.metric === 'diversity' ? diversityRow(facts) : numberRow(facts, spec)));
}

/** pass@1 and pass@N, which have the pass rate's place in metrics that have them. */
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
    verdict: verdictOf(facts, spec),
  };
}

function verdictOf(facts: Facts, { metric, up, down }: RowSpec): Verdict {
  const change = changeOf(facts, metric);
  if (!change) return plain('FIRST VALUE');
  if (!isComparable(facts, metric)) return plain('NOT COMPARABLE');
  if (isStable(change)) return plain('STABLE');
  return change.delta > 0 ? up : down;
}

/** Share unique and, in brackets, mean pairwise distance, as one cell. */
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

/** A share of unique samples that moves by less than this many points is maintained. */
const maintainedPoints = 1;

function diversityMovement(facts: Facts): Pick<ComparisonRow, 'change' | 'verdict'> {
  const change = changeOf(facts, 'diversity');
  if (!change) return { change: absent, verdict: plain('FIRST VALUE') };
  const points = 100 * change.delta;
  const maintained = Math.abs(points) < maintainedPoints;
  const text = maintained ? 'Stable' : `${signed(points, 0)} points`;
  if (!isComparable(facts, 'diversity')) return { change: text, verdict: plain('NOT COMPARABLE') };
  if (maintained) return { change: text, verdict: good('MAINTAINED') };
  return { change: text, verdict: points > 0 ? good('RISING') : note('FALLING') };
}
