// Copies of a store's folders on this machine's disk, under the same names, so that adapters find
// their base beside them. Their total size is limited; the least recently used copies go first.

import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { cacheFolder } from '../config/paths.ts';
import { AnnealError } from '../errors.ts';
import { hashFile } from './file-hash.ts';
import { folderMode, uniqueSuffix } from './local/atomic.ts';

/** The files of a folder. */
export interface Listing {
  files: { name: string; bytes: number; sha256: string }[];
}

/** The file in a copied folder that holds the folder's listing. */
export const listingName = '.folder.json';

const scratchName = '.scratch';
const scratchPattern = /^\.scratch\/[^/]+$|\/\.[^/]+\.[0-9a-f]{12}$/;
/** Copies used this recently may still be in use. */
const inUseMs = 3_600_000;
/** A scratch folder this old belongs to a crashed attempt. */
const deadScratchMs = 7 * 24 * 3_600_000;
const defaultGigabytes = 20;

/** Root of the cache: ANNEAL_STORE_CACHE, or a folder of the user's cache. */
export function cacheRoot(env = process.env): string {
  return resolve(env.ANNEAL_STORE_CACHE || join(cacheFolder(env), 'store'));
}

/** Size limit of the cache, from ANNEAL_STORE_CACHE_GB. @throws AnnealError InvalidConfig */
export function cacheLimitBytes(env = process.env): number {
  const gigabytes = Number(env.ANNEAL_STORE_CACHE_GB || defaultGigabytes);
  if (gigabytes > 0) return gigabytes * 1e9;
  throw new AnnealError(
    'InvalidConfig',
    `ANNEAL_STORE_CACHE_GB: expected a number of gigabytes, such as 20, found '${env.ANNEAL_STORE_CACHE_GB}'`,
  );
}

/** A new empty folder to fetch into. */
export async function cacheScratch(root: string): Promise<string> {
  const folder = join(root, scratchName, uniqueSuffix());
  await mkdir(folder, { recursive: true, mode: folderMode });
  return folder;
}

/** Whether a folder is a complete copy of the listed files; it then counts as used now. */
export async function isCopyOf(folder: string, listing: string): Promise<boolean> {
  const mark = join(folder, listingName);
  if ((await readFile(mark, 'utf8').catch(() => null)) !== listing) return false;
  for (const { name, sha256 } of (JSON.parse(listing) as Listing).files)
    if ((await hashFile(join(folder, name)).catch(() => null)) !== sha256) return false;
  await utimes(mark, new Date(), new Date());
  return true;
}

/** Make a filled scratch folder the copy at `folder`, then evict old copies over the limit. */
export async function keepCopy(
  root: string,
  scratch: string,
  folder: string,
  listing: string,
): Promise<void> {
  await writeFile(join(scratch, listingName), listing);
  for (const parent of [dirname(folder), join(root, scratchName)])
    await mkdir(parent, { recursive: true, mode: folderMode });
  // A non-empty folder cannot be replaced in one step, and another process may do the same now.
  while (!(await moveInto(folder, scratch))) {
    if (await isCopyOf(folder, listing)) {
      await rm(scratch, { recursive: true });
      break;
    }
    const aside = join(root, scratchName, `old.${uniqueSuffix()}`);
    await rename(folder, aside).catch(() => {});
    await rm(aside, { recursive: true, force: true });
  }
  await evict(root, cacheLimitBytes());
}

/** @returns false if the folder exists already */
async function moveInto(folder: string, scratch: string): Promise<boolean> {
  try {
    await rename(scratch, folder);
    return true;
  } catch (error) {
    // Another process may have moved the existing folder aside in the meantime.
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOTEMPTY', 'EEXIST'].includes(code) || existsSync(folder)) return false;
    throw error;
  }
}

/** Remove leftovers of crashed attempts, then the least recently used copies until the rest fits. */
export async function evict(root: string, limitBytes: number): Promise<void> {
  const entries = await entriesIn(root);
  await removeDead(root, entries);
  const copies = await copiesIn(root, entries);
  let total = copies.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { folder, bytes, usedMs } of copies.sort((a, b) => a.usedMs - b.usedMs)) {
    if (total <= limitBytes || Date.now() - usedMs < inUseMs) return;
    await rm(folder, { recursive: true, force: true });
    total -= bytes;
  }
}

/** Remove old scratch folders: in the cache's own folder, and beside their targets. */
async function removeDead(root: string, entries: readonly string[]): Promise<void> {
  for (const entry of entries.filter((path) => scratchPattern.test(path))) {
    const info = await stat(join(root, entry)).catch(() => null);
    if (info && Date.now() - info.mtimeMs > deadScratchMs)
      await rm(join(root, entry), { recursive: true, force: true });
  }
}

/** Everything in the cache, at any depth. */
async function entriesIn(root: string): Promise<string[]> {
  for (;;) {
    try {
      return await readdir(root, { recursive: true });
    } catch (error) {
      // Another process removed a folder during the listing.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || !existsSync(root)) throw error;
    }
  }
}

async function copiesIn(root: string, entries: readonly string[]) {
  const copies: { folder: string; bytes: number; usedMs: number }[] = [];
  for (const entry of entries.filter((path) => basename(path) === listingName)) {
    const mark = join(root, entry);
    // Another process may be evicting too.
    if (entry.startsWith(scratchName) || !existsSync(mark)) continue;
    const { files } = JSON.parse(await readFile(mark, 'utf8')) as Listing;
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    copies.push({ folder: dirname(mark), bytes, usedMs: (await stat(mark)).mtimeMs });
  }
  return copies;
}
