import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Turns } from './turns.ts';

it('runs tasks in turn, whether they fail or not', async () => {
  const turns = new Turns();
  const events: string[] = [];
  const task = (name: string, ms: number) => () =>
    setTimeout(ms).then(() => {
      events.push(name);
      if (name === 'b') throw new Error(name);
      return name;
    });
  const results = await Promise.allSettled([
    turns.run(task('a', 20)),
    turns.run(task('b', 5)),
    turns.run(task('c', 0)),
  ]);
  expect(events).toEqual(['a', 'b', 'c']);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});
