// Ramps: numbers that change over the epochs of a phase, and their value in an epoch. Pure and
// without imports, because workflows depend on it. schema/ramps.ts validates how a ramp is written.

/** From one value to another in equal steps (linear) or slowly at both ends (cosine). */
export interface SlopeRamp {
  ramp: 'linear' | 'cosine';
  from: number;
  to: number;
}

/** One value after another, each for an equal part of the phase. */
export interface StepRamp {
  ramp: 'step';
  values: number[];
}

export type Ramp = SlopeRamp | StepRamp;

/** Settings that count something: their ramps are rounded to whole numbers. */
export const wholeNumberKeys: readonly string[] = [
  'top_k',
  'min_group_size',
  'num_samples_per_prompt',
  'prompts_per_epoch',
  'max_new_tokens',
  'decay_steps',
  'warmup_steps',
  'batch_size',
  'microbatch_size',
];

/** Whether a phase sets a ramp; no other setting is a mapping. */
export function isRamp(value: unknown): value is Ramp {
  return typeof value === 'object' && value !== null && 'ramp' in value;
}

/**
 * The value of setting `key` in `epoch` of a phase that spans `epochs`, inclusive. With progress
 * p = (epoch - first) / (last - first), and p = 0 in a phase of one epoch:
 *
 * - linear: (1 - p) from + p to
 * - cosine: the same with (1 - cos(pi p)) / 2 for p
 * - step: value floor(n (epoch - first) / (last - first + 1)) of n, counted from 0
 */
export function rampAt(
  key: string,
  ramp: Ramp,
  epochs: readonly [number, number],
  epoch: number,
): number {
  const value = ramp.ramp === 'step' ? stepAt(ramp, epochs, epoch) : slopeAt(ramp, epochs, epoch);
  return wholeNumberKeys.includes(key) ? Math.round(value) : withoutNoise(value);
}

/** The mapping with each ramp resolved for `epoch`; other values are unchanged. */
export function resolveRamps(
  section: object,
  epochs: readonly [number, number],
  epoch: number,
): Record<string, unknown> {
  const resolved = Object.entries(section).map(([key, value]) => [
    key,
    isRamp(value) ? rampAt(key, value, epochs, epoch) : value,
  ]);
  return Object.fromEntries(resolved);
}

function slopeAt(
  { ramp, from, to }: SlopeRamp,
  [first, last]: readonly [number, number],
  epoch: number,
): number {
  const progress = last > first ? (epoch - first) / (last - first) : 0;
  const share = ramp === 'linear' ? progress : (1 - Math.cos(Math.PI * progress)) / 2;
  return (1 - share) * from + share * to;
}

function stepAt(
  { values }: StepRamp,
  [first, last]: readonly [number, number],
  epoch: number,
): number {
  return values[Math.floor((values.length * (epoch - first)) / (last - first + 1))]!;
}

/** Metrics record the value: 1.15, not 1.1500000000000001. */
function withoutNoise(value: number): number {
  return Number(value.toPrecision(12));
}
