import { expect, it } from 'vitest';
import { taskQueues } from '../activities/task-queues.ts';
import { withAdded } from './added-activities.ts';

const work = async () => {};
const own = { [taskQueues.workflows]: { filter: work }, [taskQueues.score]: { score: work } };

it('serves added activities on the queue of the workflows', () => {
  expect(withAdded(own, { announce: work })).toEqual({
    ...own,
    [taskQueues.workflows]: { filter: work, announce: work },
  });
  expect(withAdded(own)).toEqual(own);
});

it('refuses a name that Anneal uses, on any queue', () => {
  expect(() => withAdded(own, { score: work })).toThrow("found 'score'; rename it");
});
