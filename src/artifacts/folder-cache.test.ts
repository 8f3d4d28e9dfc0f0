import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cacheLimitBytes, cacheScratch, evict, keepCopy, listingName } from './folder-cache.ts';
import { scratchBeside } from './local/store.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'anneal-cache-'));
});
afterEach(() => rm(root, { recursive: true }));

/** A copy of 100 bytes with the given time since its last use. */
async function keep(name: string, hoursAgo: number): Promise<void> {
  const folder = join(root, 'run', name);
  const listing = JSON.stringify({ files: [{ name: 'weights', bytes: 100, sha256: 'any' }] });
  const scratch = await cacheScratch(root);
  await writeFile(join(scratch, 'weights'), 'x'.repeat(100));
  await keepCopy(root, scratch, folder, listing);
  const used = new Date(Date.now() - hoursAgo * 3_600_000);
  await utimes(join(folder, listingName), used, used);
}

it('evicts the least recently used copies until the rest fits', async () => {
  for (const [name, hours] of Object.entries({ a: 4, b: 9, c: 2, d: 3 })) await keep(name, hours);
  await evict(root, 250);
  expect((await readdir(join(root, 'run'))).sort()).toEqual(['c', 'd']);
});

it('keeps everything used within the hour, even over the limit', async () => {
  await keep('a', 0.5);
  await keep('b', 2);
  await evict(root, 50);
  expect(await readdir(join(root, 'run'))).toEqual(['a']);
});

it('removes scratch folders of crashed attempts only', async () => {
  const [dead, fetching] = [await cacheScratch(root), await cacheScratch(root)];
  const target = join(root, 'run/checkpoints/epoch-01');
  const abandoned = await scratchBeside(target);
  const filling = await scratchBeside(join(root, 'run/checkpoints/epoch-02'));
  const weekAgo = new Date(Date.now() - 8 * 24 * 3_600_000);
  for (const folder of [dead, abandoned]) await utimes(folder, weekAgo, weekAgo);
  await evict(root, 1e9);
  const there = [dead, abandoned, fetching, filling].map((folder) => existsSync(folder));
  expect(there).toEqual([false, false, true, true]);
});

it('reads its limit from the environment', () => {
  expect(cacheLimitBytes({ ANNEAL_STORE_CACHE_GB: '1.5' })).toBe(1.5e9);
  expect(cacheLimitBytes({})).toBe(20e9);
  expect(() => cacheLimitBytes({ ANNEAL_STORE_CACHE_GB: 'many' })).toThrow("found 'many'");
});
