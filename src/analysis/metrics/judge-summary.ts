// How reliable a judge is on a set of samples: whether it repeats its verdicts, and whether position
// or length bias them.

import type { Judged, ScoredRollout } from '../../records/rollouts.ts';
import { cohensKappa, mean, spearman } from './statistics.ts';

interface Judgement {
  value: number;
  criteria: Record<string, number>;
  judged: Judged;
  tokens: number;
}

/** Metric names, under `rewards/{name}/`. */
const judgeNumbers = [
  'second_opinions',
  'agreement',
  'kappa',
  'place_correlation',
  'length_correlation',
] as const;
type JudgeNumber = (typeof judgeNumbers)[number];
type JudgeNumbers = Record<JudgeNumber, number | null>;

/** Whether a metric describes a judge's reliability rather than one of its criteria. */
export function isJudgeNumber(key: string): boolean {
  return judgeNumbers.some((name) => key.endsWith(`/${name}`));
}

/** The reliability metrics of each judge in a line of metrics. */
export function judgesOf(line: object): { name: string; numbers: JudgeNumbers }[] {
  const numbers = line as Record<string, number | null | undefined>;
  const names = Object.keys(line).flatMap(
    (key) => /^rewards\/(.*)\/agreement$/.exec(key)?.slice(1) ?? [],
  );
  return names.map((name) => ({
    name,
    numbers: Object.fromEntries(
      judgeNumbers.map((number) => [number, numbers[`rewards/${name}/${number}`] ?? null]),
    ) as JudgeNumbers,
  }));
}

/**
 * Reliability of each judge among the samples' rewards, by name.
 * - `second_opinions`: share of samples that were judged twice.
 * - `agreement`: Spearman's correlation of the two values.
 * - `kappa`: Cohen's kappa, mean over the binary criteria.
 * - `place_correlation`, `length_correlation`: Spearman's correlation of the value with the position
 *   in the request, and with the length of the completion in tokens.
 */
export function summarizeJudges(rollouts: readonly ScoredRollout[]): Record<string, JudgeNumbers> {
  const names = new Set(rollouts.flatMap(({ rewards }) => Object.keys(rewards)));
  const summaries = [...names].flatMap((name) => {
    const said = rollouts.flatMap(({ rewards, tokens }): Judgement[] => {
      const { value = null, criteria = {}, judged } = rewards[name] ?? {};
      return judged && value !== null ? [{ value, criteria, judged, tokens: tokens.length }] : [];
    });
    return said.length === 0 ? [] : [[name, summarize(said)] as const];
  });
  return Object.fromEntries(summaries);
}

function summarize(said: readonly Judgement[]): JudgeNumbers {
  const values = said.map(({ value }) => value);
  const twice = said.flatMap(({ judged, ...first }) =>
    judged.second === null ? [] : [{ first, second: judged.second }],
  );
  const placed = said.filter(({ judged }) => judged.place !== null);
  return {
    second_opinions: twice.length / said.length,
    agreement: spearman(
      twice.map(({ first }) => first.value),
      twice.map(({ second }) => second.value),
    ),
    kappa: meanKappa(twice.map(({ first, second }) => [first.criteria, second.criteria])),
    place_correlation: spearman(
      placed.map(({ judged }) => judged.place!),
      placed.map(({ value }) => value),
    ),
    length_correlation: spearman(
      said.map(({ tokens }) => tokens),
      values,
    ),
  };
}

function meanKappa(pairs: readonly [Record<string, number>, Record<string, number>][]) {
  const names = Object.keys(pairs[0]?.[0] ?? {});
  const kappas = names.flatMap((name) => {
    const first = pairs.map(([criteria]) => criteria[name]!);
    const second = pairs.map(([, criteria]) => criteria[name]!);
    const isBinary = [...first, ...second].every((value) => value === 0 || value === 1);
    const kappa = isBinary ? cohensKappa(first, second) : null;
    return kappa === null ? [] : [kappa];
  });
  return mean(kappas);
}
