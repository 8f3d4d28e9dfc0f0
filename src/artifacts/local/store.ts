// A run's files in a folder on a local disk, or on a disk that several machines mount.

import { createHash } from 'node:crypto';
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { AnnealError, storeFailure } from '../../errors.ts';
import type { ArtifactRef } from '../../records/refs.ts';
import type { Store } from '../store.ts';
import {
  fileMode,
  folderMode,
  makeFolder,
  stemOf,
  syncPath,
  uniqueSuffix,
  writeFileAtomic,
} from './atomic.ts';

/** The store of the run's folder at the absolute path `root`. */
export function createLocalStore(root: string): Store {
  const locate = (path: string) => locateUnder(root, path);
  /** Run `act` on a file; disk errors become AnnealErrors that name it. */
  const at = <T>(path: string, act: (absolute: string) => Promise<T>): Promise<T> => {
    const absolute = locate(path);
    return act(absolute).catch((error) => {
      throw storeFailure(error, absolute);
    });
  };
  return {
    async write(path, content, count) {
      await at(path, (file) => writeFileAtomic(file, content));
      return describeArtifact(path, content, count);
    },
    async read(ref) {
      const bytes = await readFile(locate(ref.path)).catch((cause) => {
        throw damaged(ref.path, 'the file cannot be read', cause);
      });
      const found = describeArtifact(ref.path, bytes);
      if (found.sha256 !== ref.sha256)
        throw damaged(ref.path, `expected sha256 ${ref.sha256}, found ${found.sha256}`);
      return bytes;
    },
    readText: (path) =>
      readFile(locate(path), 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (isAbsent(error)) return null;
        throw error;
      }),
    append: (path, line) => at(path, (file) => appendWhole(file, `${line}\n`)),
    scratch: (path) => at(path, scratchBeside),
    commitFolder: (scratch, path) => at(path, (target) => replaceFolder(scratch, target)),
    async list(path) {
      const names = await readdir(locate(path)).catch((error: NodeJS.ErrnoException) => {
        if (isAbsent(error)) return [];
        throw error;
      });
      return names.filter((name) => !name.startsWith('.') && !name.endsWith('.tmp')).sort();
    },
    remove: (path) => at(path, (file) => rm(file, { recursive: true, force: true })),
    async fetchFolder(path) {
      const folder = locate(path);
      const found = await stat(folder).catch(() => null);
      if (found?.isDirectory()) return folder;
      throw damaged(path, 'the folder is missing');
    },
  };
}

/** Whether an error says that there is no such file; there is none of a name that is too long. */
function isAbsent({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ENOENT' || code === 'ENAMETOOLONG';
}

/** Whether an error is one of `damaged`. */
export function isDamaged(error: unknown): error is AnnealError {
  return error instanceof AnnealError && error.kind === 'DamagedArtifact';
}

/** The error for an artifact that is missing or does not match its hash. */
export function damaged(path: string, problem: string, cause?: unknown): AnnealError {
  return new AnnealError(
    'DamagedArtifact',
    `${path} in the run's folder is damaged: ${problem}. It is rebuilt if its inputs are intact; otherwise restore it from a backup.`,
    { cause, path },
  );
}

/** The reference of an artifact. */
export function describeArtifact(
  path: string,
  content: string | Uint8Array,
  count?: number,
): ArtifactRef {
  const sha256 = createHash('sha256').update(content).digest('hex');
  const bytes = typeof content === 'string' ? Buffer.byteLength(content) : content.length;
  return { path, sha256, bytes, ...(count === undefined ? {} : { count }) };
}

/** References come from a workflow's history; none may lead out of the run's folder. */
export function locateUnder(root: string, path: string): string {
  const absolute = resolve(root, path);
  if (!absolute.startsWith(root + sep))
    throw new AnnealError('InvalidData', `expected a path inside ${root}, found '${path}'`);
  return absolute;
}

/** Append all of `text`, or nothing if the disk is full. */
async function appendWhole(path: string, text: string): Promise<void> {
  await makeFolder(dirname(path));
  const file = await open(path, 'a', fileMode);
  try {
    const { size } = await file.stat();
    await file.writeFile(text).catch(async (error) => {
      await file.truncate(size);
      throw error;
    });
  } finally {
    await file.close();
  }
}

/**
 * A new empty folder beside its target, so that relative paths from it stay valid when it is moved
 * there. Leftovers of crashed attempts are removed.
 */
export async function scratchBeside(target: string): Promise<string> {
  await makeFolder(dirname(target));
  await removeLeftovers(target);
  const folder = `${leftoverPrefix(target)}${uniqueSuffix()}`;
  await mkdir(folder, { mode: folderMode });
  return folder;
}

const leftoverPrefix = (target: string) => join(dirname(target), `.${stemOf(target)}.`);

async function removeLeftovers(target: string): Promise<void> {
  const prefix = basename(leftoverPrefix(target));
  for (const name of await readdir(dirname(target)))
    if (name.startsWith(prefix)) await rm(join(dirname(target), name), { recursive: true });
}

/** A folder cannot be renamed onto a non-empty one, so the old one is moved aside first. */
async function replaceFolder(scratch: string, target: string): Promise<void> {
  for (const name of await readdir(scratch)) {
    // Copied files may have brought their own permissions.
    await chmod(join(scratch, name), fileMode);
    await syncPath(join(scratch, name));
  }
  await syncPath(scratch);
  const aside = `${leftoverPrefix(target)}${uniqueSuffix()}`;
  await rename(target, aside).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rename(scratch, target);
  await syncPath(dirname(target));
  await rm(aside, { recursive: true, force: true });
}
