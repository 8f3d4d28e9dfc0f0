// Finds the files that a run file names. A relative path is looked for where the user stands, then
// in the package itself, so that the embedded policy and prompts work from any folder.

import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AnnealError } from '../errors.ts';

/** The folder that holds package.json, in the checkout and in an installed package alike. */
export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

/** Folder of what can be fetched or made again. */
export function cacheFolder(env = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'anneal');
}

/**
 * The absolute path of an input file or folder.
 *
 * @param what names the input in the error, such as `model.path`.
 * @throws AnnealError InvalidConfig naming every place that was looked at.
 */
export function resolveInput(path: string, what = 'input'): string {
  if (path.startsWith('s3://'))
    throw new AnnealError(
      'InvalidConfig',
      `${what}: expected a path on this machine, found '${path}'. Copy it here first, as with 'aws s3 cp --recursive'; --runs-dir, resume_from and commands that read a run take s3:// addresses.`,
    );
  const places = isAbsolute(path)
    ? [path]
    : [...new Set([resolve(path), resolve(packageRoot, path)])];
  const found = places.find((place) => existsSync(place));
  if (found) return found;
  throw new AnnealError(
    'InvalidConfig',
    `${what}: expected '${path}' to exist, but there is nothing at ${places.join(' or ')}. ` +
      'Correct the path; a relative one is taken from the current directory.',
  );
}

/**
 * The absolute path of a checkpoint to go on from.
 * @throws AnnealError InvalidConfig naming the run's checkpoints that are there.
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
      `resume_from: expected the checkpoint '${path}', but it is not there; checkpoints that are: ${there.sort().join(', ') || 'none'}. ` +
        "Name one of these; a run's retention takes others away.",
      { cause },
    );
  }
}
