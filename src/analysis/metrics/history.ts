// Reads a metrics.jsonl, ours or another system's. Every field but the epoch may be missing; the rest
// of the analysis works on such records.

import type { RlaifConfig } from '../../config/schema/rlaif.ts';
import type { TrainingConfig } from '../../config/schema/training.ts';
import { AnnealError, withoutExcerpt } from '../../errors.ts';
import type { EpochMetrics } from '../../records/metrics.ts';

/** The settings that are known. */
export interface PartialSettings {
  rlaif?: Partial<RlaifConfig>;
  training?: Partial<TrainingConfig>;
}

/** A line of metrics as the analysis reads it; EpochMetrics has nothing missing. */
export type EpochRecord = {
  readonly [K in keyof EpochMetrics as K extends 'epoch' | 'settings' ? never : K]?:
    | EpochMetrics[K]
    | null;
} & { readonly epoch: number; readonly settings?: PartialSettings | null };

const numbers = [
  'reward',
  'reward_std',
  'best_of_n_reward',
  'loss',
  'policy_loss',
  'reward_variance',
  'diversity',
  'diversity_score',
  'distinct_programs',
  'gap',
  'kl',
  'kl_k1',
  'entropy',
  'grad_norm',
  'learning_rate',
  'frac_reward_zero_std',
  'clip_ratio/low_mean',
  'clip_ratio/high_mean',
  'clip_ratio/region_mean',
  'completions/mean_length',
  'completions/min_length',
  'completions/max_length',
  'completions/clipped_ratio',
  'num_tokens',
  'samples',
  'samples_missing',
  'samples_trained',
  'steps',
  'eval/reward',
  'eval/best_of_n_reward',
  'eval/reward_variance',
  'eval/gap',
  'eval/diversity',
  'eval/diversity_score',
  'eval/distinct_programs',
  'eval/pass_rate',
  'eval/greedy/reward',
  'eval/greedy/pass_rate',
] as const satisfies readonly (keyof EpochMetrics)[];

/** Name of a metric that is a single number. */
export type NumberMetric = (typeof numbers)[number] | `eval/pass@${number}`;

/** pass@1 and pass@N of a line: its `eval/pass@k` with the smallest and the largest k. */
export function passMetrics(line: object): `eval/pass@${number}`[] {
  const tries = Object.keys(line).flatMap((key) => /^eval\/pass@(\d+)$/.exec(key)?.[1] ?? []);
  if (tries.length === 0) return [];
  const ends = [Math.min(...tries.map(Number)), Math.max(...tries.map(Number))];
  return [...new Set(ends)].map((k) => `eval/pass@${k}` as const);
}

/**
 * The epochs of a metrics.jsonl, oldest first. Missing fields are null, even those that our own lines
 * always hold: treat the result as EpochRecord if another system may have written it. If an epoch
 * has two lines, the later one counts: a writer that only appends repeats an epoch it resumed.
 *
 * @param name how errors refer to the text, such as its path.
 * @throws AnnealError InvalidData naming the line that is not an epoch's record.
 */
export function parseMetricsJsonl(text: string, name: string): EpochMetrics[] {
  const epochs = new Map<number, EpochMetrics>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const record = parseLine(line, `${name}, line ${index + 1}`);
    epochs.set(record.epoch, record);
  }
  return [...epochs.values()].sort((a, b) => a.epoch - b.epoch);
}

function parseLine(line: string, where: string): EpochMetrics {
  const row = parseObject(line, where);
  if (!Number.isInteger(row.epoch)) throw unexpected(where, 'epoch', 'a whole number', row.epoch);
  const tries = Object.keys(row).filter((key) => key.startsWith('eval/pass@'));
  for (const field of [...numbers, ...tries])
    if (typeof (row[field] ?? 0) !== 'number')
      throw unexpected(where, field, 'a number or null', row[field]);
  if (row.reward_histogram != null && !isNumberList(row.reward_histogram))
    throw unexpected(where, 'reward_histogram', 'a list of numbers', row.reward_histogram);
  if (typeof (row.phase ?? '') !== 'string') throw unexpected(where, 'phase', 'a name', row.phase);
  const absent = [...numbers, 'phase', 'reward_histogram', 'settings'].filter(
    (key) => !(key in row),
  );
  const nulls = Object.fromEntries(absent.map((key) => [key, null]));
  return { ...row, ...nulls } as unknown as EpochMetrics;
}

function parseObject(line: string, where: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new AnnealError(
      'InvalidData',
      `${where}: expected one JSON object: ${withoutExcerpt((cause as Error).message)}. Correct or ` +
        'remove the line; write a number that is not finite as null.',
      { cause },
    );
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new AnnealError('InvalidData', `${where}: expected one JSON object, found another value.`);
}

function isNumberList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

function unexpected(where: string, field: string, expected: string, found: unknown): AnnealError {
  const value = found === undefined ? 'nothing' : shorten(JSON.stringify(found));
  return new AnnealError(
    'InvalidData',
    `${where}: expected ${field} to be ${expected}, found ${value}. Correct or remove the line.`,
  );
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
