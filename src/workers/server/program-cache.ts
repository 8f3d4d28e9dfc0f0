// Programs that were downloaded or built, kept in the user's cache.

import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type NotFound, notFound } from './found-server.ts';

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
