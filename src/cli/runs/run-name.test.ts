import { expect, test } from 'vitest';
import { chooseName, type NameUse } from './run-name.ts';

const choose = (uses: Record<string, NameUse>, explicit = false) =>
  chooseName('run', explicit, async (name) => uses[name] ?? 'free');

test('a free name is taken', async () => {
  expect(await choose({})).toEqual({ kind: 'start', name: 'run' });
});

test('a name of the file gives way to the next free one', async () => {
  const uses = { run: 'taken', 'run-2': 'taken' } as const;
  expect(await choose(uses)).toEqual({ kind: 'start', name: 'run-3' });
});

test('a live run is attached to, under whichever of these names', async () => {
  expect(await choose({ run: 'running' }, true)).toEqual({ kind: 'attach', name: 'run' });
  const uses = { run: 'taken', 'run-2': 'running' } as const;
  expect(await choose(uses)).toEqual({ kind: 'attach', name: 'run-2' });
});

test('a name given by flag is taken at its word', async () => {
  expect(await choose({ run: 'taken' }, true)).toEqual({ kind: 'refuse', name: 'run' });
});
