// Finds the files that a run file names. A relative path is looked up in the current directory, then
// in the package, so that the embedded policy and prompts work from any folder.

import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AnnealError } from '../errors.ts';

/** The folder of package.json, in a checkout and in an installed package. */
export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

/** Folder for files that can be downloaded or built again. */
export function cacheFolder(env = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'anneal');
}

/** Finds an input: `resolveInput`, or for a worker `InputRoots.resolve`. */
export type ResolveInput = (path: string, what: string) => string;

/** Where an input may be, in the order in which it is looked for. */
export function placesOf(path: string): string[] {
  return isAbsolute(path) ? [path] : [...new Set([resolve(path), resolve(packageRoot, path)])];
}

/**
 * The absolute path of an input file or folder.
 *
 * @param what names the input in the error, such as `model.path`.
 * @throws AnnealError InvalidConfig naming every path that was tried.
 */
export function resolveInput(path: string, what = 'input'): string {
  if (path.startsWith('s3://'))
    throw new AnnealError(
      'InvalidConfig',
      `${what}: expected a path on this machine, found '${path}'. Copy it to this machine first, for example with \`aws s3 cp --recursive\`. Only --runs-dir, resume_from and commands that read a run accept s3:// addresses.`,
    );
  const places = placesOf(path);
  const found = places.find((place) => existsSync(place));
  if (found) return found;
  throw new AnnealError(
    'InvalidConfig',
    `${what}: expected '${path}' to exist, but there is nothing at ${places.join(' or ')}. ` +
      'Correct the path; a relative path starts at the current directory.',
  );
}

/**
 * The absolute path of a checkpoint to resume from.
 * @throws AnnealError InvalidConfig naming the checkpoints that exist.
 */
export function resolveCheckpoint(path: string): string {
  try {
    return resolveInput(path, 'resume_from');
  } catch (cause) {
    const beside = dirname(resolve(path));
    if (!existsSync(beside)) throw cause;
    const there = readdirSync(beside).filter((name) => /^epoch-\d+$/.test(name));
    throw new AnnealError(
      'InvalidConfig',
      `resume_from: expected a checkpoint at '${path}', found none; checkpoints there: ${there.sort().join(', ') || 'none'}. ` +
        "Choose one of these; the run's retention setting deletes others.",
      { cause },
    );
  }
}
