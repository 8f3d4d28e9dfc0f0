// Where a worker may read what run files name, and write what they ask for. Whoever may start a run
// writes its run file, on whatever machine; the folders are chosen where the worker is started.

import { existsSync, realpathSync } from 'node:fs';
import { basename, delimiter, dirname, join, sep } from 'node:path';
import { AnnealError } from '../errors.ts';
import { placesOf, resolveInput } from './paths.ts';

const flag = '--allow-path';
const variable = 'ANNEAL_ALLOW_PATHS';

/** The paths and s3:// addresses in ANNEAL_ALLOW_PATHS, separated as in PATH. */
export function allowedByEnvironment(env: NodeJS.ProcessEnv = process.env): string[] {
  const between = new RegExp(`${delimiter}(?!//)`);
  return (env[variable] ?? '').split(between).filter((path) => path !== '');
}

/** Files, folders and s3:// addresses at and below which inputs may be. */
export class InputRoots {
  readonly #roots: readonly string[];

  constructor(roots: readonly string[]) {
    this.#roots = [...new Set(roots.map((root) => root.replace(/(?<=.)\/$/, '')))];
  }

  /**
   * The absolute path of an input; `what` names it in errors.
   * @throws AnnealError InvalidConfig if it is outside of the roots or does not exist
   */
  readonly resolve = (path: string, what: string): string => {
    this.require(path, what);
    return resolveInput(path, what);
  };

  /**
   * Require that a path or s3:// address is at or below a root, whether anything is there or not.
   * @throws AnnealError InvalidConfig
   */
  require(address: string, what: string): void {
    const places = isS3(address) ? [address] : placesOf(address);
    const found = places.find((place) => existsSync(place));
    if (found ? this.#holds(found) : places.some((place) => this.#holds(place))) return;
    throw new AnnealError(
      'InvalidConfig',
      `${what}: expected a path below one of ${this.#roots.join(', ')}, where this worker reads inputs, found '${address}'. Move it there, or start all workers with ${flag} or ${variable} naming it or a folder above it.`,
    );
  }

  #holds(address: string): boolean {
    const isUrl = isS3(address);
    if (isUrl && /\/\.\.?(\/|$)/.test(address)) return false;
    const real = isUrl ? address : realPath(address);
    return this.#roots
      .filter((root) => isS3(root) === isUrl)
      .some((root) => isWithin(real, isUrl ? root : realPath(root), isUrl ? '/' : sep));
  }
}

function isS3(address: string): boolean {
  return address.startsWith('s3://');
}

function isWithin(path: string, root: string, separator: string): boolean {
  return path === root || path.startsWith(root.endsWith(separator) ? root : root + separator);
}

/** With links followed as far as the path exists: none may lead out of a root. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(realPath(above), basename(path));
  }
}
