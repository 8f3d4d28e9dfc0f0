// Scores as columns of a table: the reward, and every criterion of every declared reward.

import { fixed } from '../analysis/format.ts';
import type { Score } from '../config/records.ts';

/** The columns that the scores have between them, and their cells for one score. */
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
  const columns = [...criteria].flatMap(([name, found]) =>
    [...found].map((criterion) => ({ name, criterion })),
  );
  return {
    titles: [
      'reward',
      ...columns.map((c) => (criteria.size > 1 ? `${c.name}/${c.criterion}` : c.criterion)),
    ],
    cells: ({ reward, rewards }) => [
      fixed(reward, 3),
      ...columns.map(({ name, criterion }) => fixed(rewards[name]?.criteria[criterion], 3)),
    ],
  };
}

/** What the rewards noted, such as the error of a program that does not parse. */
export function notesOf({ rewards }: Score): string {
  return Object.values(rewards)
    .flatMap(({ note }) => note || [])
    .join(' ');
}
