// A `temporal` binary on this machine: where the cached one lies, and whether a file is one.

import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../config/paths.ts';
import { type NotFound, notFound, type ServerBinary } from './found-server.ts';

const run = promisify(execFile);
const versionTimeoutMs = 20_000;

/** The version that is downloaded or built; tools/temporal/go.mod pins the same. */
export const temporalVersion = '1.9.1';

export const binaryName = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

/** Where the pinned binary is kept, outside of any checkout. */
export function cachedBinaryPath(env: NodeJS.ProcessEnv): string {
  return join(cacheFolder(env), 'temporal', temporalVersion, binaryName);
}

/** The binary at `path`, if it is there, may be executed, and calls itself temporal. */
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
      `${path} --version printed '${stdout.trim().slice(0, 80)}', not a version of temporal`,
    );
  } catch (error) {
    return notFound(`${path} --version failed: ${(error as Error).message.trim()}`);
  }
}

/**
 * Let `make` write the binary into a folder beside its place in the cache, check it, and move it
 * there, so that the cache never holds half of one.
 * @param make returns the path of what it made, or why it made none
 * @returns the cached binary, or why there is none
 */
export async function installBinary(
  cached: string,
  source: string,
  make: (folder: string) => Promise<string | NotFound>,
): Promise<ServerBinary | NotFound> {
  const folder = `${cached}.${process.pid}`;
  await mkdir(folder, { recursive: true });
  try {
    const made = await make(folder);
    if (typeof made !== 'string') return made;
    const binary = await checkBinary(made, source);
    if (binary.kind === 'none') return binary;
    await rename(made, cached);
    return { ...binary, path: cached };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
