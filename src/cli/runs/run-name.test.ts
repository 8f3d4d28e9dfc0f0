import { expect, test } from 'vitest';
import { chooseName, type NameUse } from './run-name.ts';

const choose = (uses: Record<string, NameUse>, explicit = false) =>
  chooseName('run', explicit, async (name) => uses[name] ?? 'free');

test('a free name is used', async () => {
  expect(await choose({})).toEqual({ kind: 'start', name: 'run' });
});

test('a taken name from the file becomes the next free one', async () => {
  const uses = { run: 'taken', 'run-2': 'taken' } as const;
  expect(await choose(uses)).toEqual({ kind: 'start', name: 'run-3' });
});

test('the first live run among these names is attached to', async () => {
  expect(await choose({ run: 'running' }, true)).toEqual({ kind: 'attach', name: 'run' });
  const uses = { run: 'taken', 'run-2': 'running' } as const;
  expect(await choose(uses)).toEqual({ kind: 'attach', name: 'run-2' });
});

test('a name given by a flag is used as is', async () => {
  expect(await choose({ run: 'taken' }, true)).toEqual({ kind: 'refuse', name: 'run' });
});
