// Programs that were downloaded or built, kept in the user's cache.

import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type NotFound, notFound } from './found-server.ts';

/** Scratch of this age was left by a process that was killed. */
const abandonedMs = 24 * 3_600_000;

/**
 * Have `make` write a program into a scratch folder beside its place in the cache, and rename it
 * when it is complete, so that the cache never holds a partial file.
 * @param make returns the path of the program, or why it made none
 * @returns `cached`, or why there is none
 */
export async function installProgram(
  cached: string,
  make: (folder: string) => Promise<string | NotFound>,
): Promise<string | NotFound> {
  let folder: string | undefined;
  try {
    await mkdir(dirname(cached), { recursive: true });
    await removeAbandoned(cached);
    folder = await mkdtemp(`${cached}.`);
    const made = await make(folder);
    if (typeof made !== 'string') return made;
    await rename(made, cached);
    return cached;
  } catch (error) {
    return notFound((error as Error).message);
  } finally {
    if (folder) await rm(folder, { recursive: true, force: true });
  }
}

async function removeAbandoned(cached: string): Promise<void> {
  const names = await readdir(dirname(cached));
  for (const name of names.filter((other) => other.startsWith(`${basename(cached)}.`))) {
    const scratch = join(dirname(cached), name);
    const info = await stat(scratch).catch(() => null);
    if (info?.isDirectory() && Date.now() - info.mtimeMs > abandonedMs)
      await rm(scratch, { recursive: true, force: true });
  }
}
