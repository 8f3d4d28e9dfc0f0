// Formats numbers for the pages: signed changes, percentages, settings as in a run file, spark lines.

/** Shown in place of a missing number. */
export const absent = '–';

type Maybe = number | null | undefined;

/** `0.2537`; a dash for a missing number. */
export function fixed(value: Maybe, digits = 4): string {
  if (value === null || value === undefined) return absent;
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace('-', '') : text;
}

/** `+0.0047`, `-0.0136`; zero has no sign. */
export function signed(value: number, digits = 4): string {
  const text = fixed(value, digits);
  return Number(text) > 0 ? `+${text}` : text;
}

/** `+0.9%` of the percentage 0.9. */
export function signedPercent(percent: number): string {
  return `${signed(percent, 1)}%`;
}

/** `97%` of the share 0.97. */
export function share(value: Maybe): string {
  return value === null || value === undefined ? absent : `${fixed(100 * value, 0)}%`;
}

/** `0.2537 → 0.2401`. */
export function arrow(before: Maybe, after: Maybe, digits = 4): string {
  return `${fixed(before, digits)} → ${fixed(after, digits)}`;
}

/** `0.2537 → 0.2401 (-5.4%)`. */
export function moved(change: { before: number; after: number; percent: number | null }): string {
  const suffix = change.percent === null ? '' : ` (${signedPercent(change.percent)})`;
  return `${arrow(change.before, change.after)}${suffix}`;
}

const decimalSettings = new Set(['reward_weight', 'generation_temperature']);

/** A setting's value as YAML: `7e-6`, `2.0`, `true`. */
export function settingValue(key: string, value: unknown): string {
  if (typeof value !== 'number') return String(value);
  if (value !== 0 && Math.abs(value) < 1e-3) return value.toExponential();
  return decimalSettings.has(key) && Number.isInteger(value) ? value.toFixed(1) : String(value);
}

const bars = '▁▂▃▄▅▆▇█';

/** One block per value, scaled between minimum and maximum; a space for a missing value. */
export function sparkline(values: readonly Maybe[]): string {
  const known = values.filter((value): value is number => typeof value === 'number');
  const low = known.reduce((least, value) => Math.min(least, value), Infinity);
  const range = known.reduce((most, value) => Math.max(most, value), -Infinity) - low;
  const level = (value: number) =>
    range > 0 ? Math.round(((value - low) / range) * (bars.length - 1)) : 3;
  return values.map((value) => (typeof value === 'number' ? bars[level(value)] : ' ')).join('');
}
