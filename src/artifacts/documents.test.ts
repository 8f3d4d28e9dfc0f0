import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { copyOf, mendDocument, readVerified, writeDocument } from './documents.ts';
import { createLocalStore } from './local/store.ts';
import type { Store } from './store.ts';

const path = 'metrics.jsonl';
let root: string;
let store: Store;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'anneal-documents-'));
  store = createLocalStore(root);
});
afterEach(() => rm(root, { recursive: true }));

it('reads what was written last', async () => {
  expect(await readVerified(store, path)).toBeNull();
  for (const text of ['first\n', 'second\n', '']) {
    await writeDocument(store, path, text);
    expect(await readVerified(store, path)).toBe(text);
    expect(await store.readText(path)).toBe(text);
    expect(await mendDocument(store, path)).toBe(false);
  }
});

it.each([
  ['changed', () => store.write(path, 'eins\nzwEi\n')],
  ['gone', () => store.remove(path)],
])('restores a document that is %s, once', async (_, damage) => {
  await writeDocument(store, path, 'eins\nzwei\n');
  await damage();
  expect(await readVerified(store, path)).toBe('eins\nzwei\n');
  expect(await mendDocument(store, path)).toBe(true);
  expect(await store.readText(path)).toBe('eins\nzwei\n');
  expect(await mendDocument(store, path)).toBe(false);
});

it.each([
  ['changed', async () => store.write(copyOf(path), `${'0'.repeat(64)}\nother`)],
  ['gone', () => store.remove(copyOf(path))],
])('reads the document itself if its copy is %s', async (_, damage) => {
  await writeDocument(store, path, 'eins');
  await damage();
  expect(await readVerified(store, path)).toBe('eins');
  expect(await mendDocument(store, path)).toBe(false);
  expect(await store.readText(path)).toBe('eins');
});
