// Scores as table columns: the reward, then each criterion of each declared reward, or its value if it
// has no criteria.

import { fixed } from '../../analysis/format.ts';
import type { Score } from '../../records/rollouts.ts';

/** The columns that any of the scores has, and the cells of one score. */
export function scoreColumns(scores: readonly Score[]): {
  titles: string[];
  cells: (score: Score) => string[];
} {
  const criteria = new Map<string, Set<string>>();
  for (const { rewards } of scores)
    for (const [name, reward] of Object.entries(rewards)) {
      const known = criteria.get(name) ?? [];
      criteria.set(name, new Set([...known, ...Object.keys(reward.criteria)]));
    }
  const columns = [...criteria].flatMap(([name, found]): Column[] =>
    found.size === 0 ? [{ name }] : [...found].map((criterion) => ({ name, criterion })),
  );
  return {
    titles: ['reward', ...columns.map((column) => titleOf(column, criteria.size))],
    cells: ({ reward, rewards }) => [
      fixed(reward, 3),
      ...columns.map(({ name, criterion }) =>
        fixed(criterion ? rewards[name]?.criteria[criterion] : rewards[name]?.value, 3),
      ),
    ],
  };
}

interface Column {
  name: string;
  criterion?: string;
}

function titleOf({ name, criterion }: Column, rewards: number): string {
  if (criterion === undefined) return name;
  return rewards > 1 ? `${name}/${criterion}` : criterion;
}

/** Notes of the rewards, such as the syntax error of a program that does not parse. */
export function notesOf({ rewards }: Score): string {
  return Object.values(rewards)
    .flatMap(({ note }) => note || [])
    .join(' ');
}
