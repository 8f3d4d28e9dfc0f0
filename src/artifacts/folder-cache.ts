// Copies of a store's folders on this machine's disk, under the names that they have there, so that
// adapters find their base beside them. They are bounded in size: the ones not used for the longest
// time go first.

import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { cacheFolder } from '../config/paths.ts';
import { AnnealError } from '../errors.ts';
import { uniqueSuffix } from './atomic.ts';
import { hashFile } from './file-hash.ts';

/** The files of a folder. */
export interface Listing {
  files: { name: string; bytes: number; sha256: string }[];
}

/** Names the file that a copied folder has beside the folder's own: the text of its listing. */
export const listingName = '.folder.json';

const scratchName = '.scratch';
/** What was used so recently may be in use. */
const inUseMs = 3_600_000;
/** No attempt fills a scratch folder for so long. */
const deadScratchMs = 7 * 24 * 3_600_000;
const defaultGigabytes = 20;

/** Root of the cache: ANNEAL_STORE_CACHE, or a folder of the user's cache. */
export function cacheRoot(env = process.env): string {
  return resolve(env.ANNEAL_STORE_CACHE || join(cacheFolder(env), 'store'));
}

/** How much the cache may hold, by ANNEAL_STORE_CACHE_GB. @throws AnnealError InvalidConfig */
export function cacheLimitBytes(env = process.env): number {
  const gigabytes = Number(env.ANNEAL_STORE_CACHE_GB || defaultGigabytes);
  if (gigabytes > 0) return gigabytes * 1e9;
  throw new AnnealError(
    'InvalidConfig',
    `ANNEAL_STORE_CACHE_GB: expected gigabytes, such as 20, found '${env.ANNEAL_STORE_CACHE_GB}'`,
  );
}

/** A new empty folder; those of the same name that dead attempts left behind are removed. */
export async function cacheScratch(root: string, name: string): Promise<string> {
  const parent = join(root, scratchName);
  await mkdir(parent, { recursive: true });
  const prefix = `${encodeURIComponent(name)}.`;
  for (const other of await readdir(parent)) {
    const { mtimeMs } = await stat(join(parent, other)).catch(() => ({ mtimeMs: Date.now() }));
    if (other.startsWith(prefix) || Date.now() - mtimeMs > deadScratchMs)
      await rm(join(parent, other), { recursive: true, force: true });
  }
  const folder = join(parent, `${prefix}${uniqueSuffix()}`);
  await mkdir(folder);
  return folder;
}

/** Whether a folder is a whole copy of what the listing says; it then counts as used now. */
export async function isCopyOf(folder: string, listing: string): Promise<boolean> {
  const mark = join(folder, listingName);
  if ((await readFile(mark, 'utf8').catch(() => null)) !== listing) return false;
  for (const { name, sha256 } of (JSON.parse(listing) as Listing).files)
    if ((await hashFile(join(folder, name)).catch(() => null)) !== sha256) return false;
  await utimes(mark, new Date(), new Date());
  return true;
}

/** Make a filled scratch folder the copy at `folder`, and let old ones go where it gets too much. */
export async function keepCopy(
  root: string,
  scratch: string,
  folder: string,
  listing: string,
): Promise<void> {
  await writeFile(join(scratch, listingName), listing);
  await mkdir(dirname(folder), { recursive: true });
  // A full folder cannot be replaced in one step, and another process may be as far as this one.
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

/** @returns false where something is there already */
async function moveInto(folder: string, scratch: string): Promise<boolean> {
  try {
    await rename(scratch, folder);
    return true;
  } catch (error) {
    // Whoever had put something there may have taken it away by now.
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || existsSync(folder)) return false;
    throw error;
  }
}

/** Remove the copies that were used the longest time ago until the rest fits. */
export async function evict(root: string, limitBytes: number): Promise<void> {
  const copies = await copiesIn(root);
  let total = copies.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { folder, bytes, usedMs } of copies.sort((a, b) => a.usedMs - b.usedMs)) {
    if (total <= limitBytes || Date.now() - usedMs < inUseMs) return;
    await rm(folder, { recursive: true, force: true });
    total -= bytes;
  }
}

async function copiesIn(root: string) {
  const entries = await readdir(root, { recursive: true });
  const copies: { folder: string; bytes: number; usedMs: number }[] = [];
  for (const entry of entries.filter((path) => basename(path) === listingName)) {
    const mark = join(root, entry);
    // Another process may be tidying up too.
    if (entry.startsWith(scratchName) || !existsSync(mark)) continue;
    const { files } = JSON.parse(await readFile(mark, 'utf8')) as Listing;
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    copies.push({ folder: dirname(mark), bytes, usedMs: (await stat(mark)).mtimeMs });
  }
  return copies;
}
