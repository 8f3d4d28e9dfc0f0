import { expect, it } from 'vitest';
import { rememberRecent } from './remember-recent.ts';

it('remembers recent results, and forgets old ones and failures', async () => {
  const made: string[] = [];
  const get = rememberRecent(
    async (key: string) => {
      made.push(key);
      if (key === 'bad' && made.length === 1) throw new Error('not yet');
      return key;
    },
    (key) => key,
  );
  await expect(get('bad')).rejects.toThrow('not yet');
  expect(await get('bad')).toBe('bad');
  for (const key of ['a', 'b', 'bad', 'c', 'd', 'bad']) await get(key);
  expect(made).toEqual(['bad', 'bad', 'a', 'b', 'c', 'd']);
  await get('a');
  expect(made.at(-1)).toBe('a');
});
