// Scores completions by a run's list of rewards: the weighted mean of their values.

import type { AnswerFormat } from '../config/schema/model.ts';
import type { Prompt } from '../records/prompts.ts';
import type { Score } from '../records/rollouts.ts';
import { programOf } from './programs/program-of.ts';
import type { CriterionResult, Reward, ScoreItem, ScoreOptions, ScoreProgress } from './reward.ts';

/**
 * Score `completions[i]` as an answer to `prompts[i]`; scores in the same order. If one of the
 * rewards is missing for a completion, its reward is null, unless that reward has weight 0. `format`
 * says where a completion's program is; by default in its Markdown fence, if it has one.
 * @throws AnnealError InvalidData for a prompt whose reference fails its tests.
 */
export async function scoreCompletions(
  prompts: readonly Prompt[],
  completions: readonly string[],
  rewards: readonly Reward[],
  { signal, onProgress, format }: ScoreOptions & { format?: AnswerFormat | undefined } = {},
): Promise<Score[]> {
  if (prompts.length !== completions.length)
    throw new Error(
      `expected one prompt per completion, found ${prompts.length} and ${completions.length}`,
    );
  const items = prompts.map((prompt, index): ScoreItem => {
    const completion = completions[index]!;
    return { prompt, completion, program: programOf(prompt, completion, format) };
  });
  const progressOf = sumProgress(rewards.length, items.length, onProgress);
  const results = await Promise.all(
    rewards.map((reward, index) => reward.score(items, { signal, onProgress: progressOf(index) })),
  );
  return items.map((_, item) =>
    combine(
      rewards,
      results.map((ofReward) => ofReward[item]!),
    ),
  );
}

function combine(rewards: readonly Reward[], results: readonly CriterionResult[]): Score {
  const byName = rewards.map(({ name }, index) => [name, results[index]!] as const);
  return { reward: weightedMean(rewards, results), rewards: Object.fromEntries(byName) };
}

function weightedMean(
  rewards: readonly Reward[],
  results: readonly CriterionResult[],
): number | null {
  let sum = 0;
  for (const [index, { weight }] of rewards.entries()) {
    if (weight === 0) continue;
    const value = results[index]?.value ?? null;
    if (value === null) return null;
    sum += weight * value;
  }
  return sum / rewards.reduce((total, { weight }) => total + weight, 0);
}

/** Combines the progress of each reward into one. */
function sumProgress(rewards: number, items: number, onProgress: ScoreOptions['onProgress']) {
  const done = new Array<number>(rewards).fill(0);
  return (index: number) => (progress: ScoreProgress) => {
    done[index] = progress.done;
    const sum = done.reduce((total, count) => total + count, 0);
    onProgress?.({ done: sum, total: rewards * items, unit: progress.unit });
  };
}
