import { expect, it } from 'vitest';
import { mapConcurrently } from './map-concurrently.ts';

const turn = () => new Promise(setImmediate);

it('runs as many tasks at once as it may, and returns results in order', async () => {
  let running = 0;
  let most = 0;
  const doubled = await mapConcurrently([5, 1, 4, 2, 3], 2, async (turns) => {
    most = Math.max(most, ++running);
    for (let left = turns; left > 0; left--) await turn();
    running--;
    return 2 * turns;
  });
  expect(doubled).toEqual([10, 2, 8, 4, 6]);
  expect(most).toBe(2);
});

it('starts nothing after a failure, and finishes what is in flight', async () => {
  const finished: number[] = [];
  const running = mapConcurrently([1, 2, 3, 4], 2, async (item) => {
    await turn();
    if (item === 1) throw new Error('no');
    await turn();
    finished.push(item);
  });
  await expect(running).rejects.toThrow('no');
  expect(finished).toEqual([2]);
});

it('starts as many tasks as there are items, and none for none', async () => {
  expect(await mapConcurrently(['a'], 9, async (item) => item)).toEqual(['a']);
  expect(await mapConcurrently([], 9, async (item) => item)).toEqual([]);
});
