// The door to a model folder's files, which strangers may have filled. Only regular files are read
// or copied, and only those in the folder itself. Links must stay in the folder, or, in a Hugging
// Face cache, whose snapshots link to its blobs, in the model's part of that cache.

import { constants, type Stats } from 'node:fs';
import { copyFile, type FileHandle, lstat, open, readdir, realpath, rm } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { AnnealError } from '../../errors.ts';
import { readBytes } from './tensor-bytes.ts';

/** Most bytes of a file that is read as text; tokenizers have up to 40 MB. */
const maxTextBytes = 100_000_000;

/** An open regular file of a model folder. */
export interface ModelFile {
  handle: FileHandle;
  /** Behind any links. */
  path: string;
  size: number;
}

/**
 * Open a file of a model folder for `use`, which must not keep it; null if there is no such file.
 * @throws AnnealError InvalidModel for anything but a regular file, for a link that leads out of the
 * folder, and for a file that changes while it is used
 */
export async function withModelFile<T>(
  path: string,
  use: (file: ModelFile) => Promise<T>,
): Promise<T | null> {
  const real = await realFile(path);
  if (real === null) return null;
  // Without waiting for a writer, should a pipe have taken the file's place.
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const handle = await open(real, flags);
  try {
    const before = await handle.stat();
    if (!before.isFile()) throw notAFile(path, before);
    const result = await use({ handle, path: real, size: before.size });
    const after = await handle.stat();
    if (after.size === before.size && after.mtimeMs === before.mtimeMs) return result;
    throw changed(path);
  } finally {
    await handle.close();
  }
}

/** A file's bytes; null if there is no such file. @throws AnnealError InvalidModel */
export async function readModelBytes(path: string): Promise<Buffer | null> {
  const read = withModelFile(path, async ({ handle, size }) => {
    if (size > maxTextBytes)
      throw new AnnealError(
        'InvalidModel',
        `${path}: expected at most ${maxTextBytes} bytes, found ${size}; check that it is the file that its name says`,
      );
    const bytes = await readBytes(handle, path, 0, size);
    // Files of /proc have a size of zero and content all the same.
    const { bytesRead } = await handle.read(new Uint8Array(1), 0, 1, size);
    if (bytesRead > 0) throw changed(path);
    return Buffer.from(bytes.buffer);
  });
  return read.catch((cause) => {
    if (cause instanceof AnnealError) throw cause;
    throw new AnnealError('InvalidModel', `${path}: cannot be read: ${cause.message}`, { cause });
  });
}

/** A file's text; null if there is no such file. @throws AnnealError InvalidModel */
export async function readModelText(path: string): Promise<string | null> {
  return (await readModelBytes(path))?.toString('utf8') ?? null;
}

/** Whether there is such a file. @throws AnnealError InvalidModel if something else has its name */
export async function isModelFile(path: string): Promise<boolean> {
  return (await realFile(path)) !== null;
}

/** Copy a file's content; copies share blocks where the disk can. @throws AnnealError InvalidModel */
export async function copyModelFile(from: string, to: string): Promise<void> {
  try {
    const copied = await withModelFile(from, async ({ path }) => {
      await copyFile(path, to, constants.COPYFILE_FICLONE);
      return true;
    });
    if (!copied) throw new AnnealError('InvalidModel', `expected a file ${from}, found none`);
  } catch (error) {
    if (error instanceof AnnealError) await rm(to, { force: true });
    throw error;
  }
}

/**
 * Names of a folder's files, sorted; sub-folders and hidden files are left out.
 * @throws AnnealError InvalidModel for a link that leads out, a pipe, a socket or a device
 */
export async function listModelFiles(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const path = join(folder, name);
    if (name.startsWith('.') || (await isFolder(path))) continue;
    if (await isModelFile(path)) names.push(name);
  }
  return names;
}

const isFolder = async (path: string) =>
  (await realpath(path).then(lstat, () => null))?.isDirectory() ?? false;

/** The path of a regular file behind any links; null if nothing has that name. */
async function realFile(path: string): Promise<string | null> {
  const entry = await lstat(path).catch((cause) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return null;
    throw cause;
  });
  if (entry === null) return null;
  if (!entry.isSymbolicLink()) {
    if (!entry.isFile()) throw notAFile(path, entry);
    return path;
  }
  const real = await realpath(path).catch((cause) => {
    const found = cause.code === 'ELOOP' ? 'links that lead to each other' : 'a link to nothing';
    throw new AnnealError(
      'InvalidModel',
      `${path}: expected a file, found ${found}; copy the whole folder again`,
      { cause },
    );
  });
  const root = await rootOf(dirname(path));
  if (!real.startsWith(root + sep))
    throw new AnnealError(
      'InvalidModel',
      `${path}: expected a file in its folder, found a link that leads out of it; put a copy of the file in its place (cp -L), or give the folder that it leads to`,
    );
  const target = await lstat(real);
  if (!target.isFile()) throw notAFile(path, target);
  return real;
}

/** The real folder that a model's links must stay in. */
async function rootOf(folder: string): Promise<string> {
  const real = await realpath(folder);
  const cached = /^(.*[\\/]models--[^\\/]+)[\\/]snapshots[\\/]/.exec(real + sep);
  return cached?.[1] ?? real;
}

function notAFile(path: string, found: Stats): AnnealError {
  const kinds: [is: boolean, name: string][] = [
    [found.isDirectory(), 'a folder'],
    [found.isFIFO(), 'a pipe'],
    [found.isSocket(), 'a socket'],
    [found.isCharacterDevice() || found.isBlockDevice(), 'a device'],
  ];
  const kind = kinds.find(([is]) => is)?.[1] ?? 'something else';
  return new AnnealError(
    'InvalidModel',
    `${path}: expected a file, found ${kind}; remove it, or copy the whole folder again`,
  );
}

function changed(path: string): AnnealError {
  return new AnnealError(
    'InvalidModel',
    `${path}: expected a file that stays as it is, found one that changed while it was read; try again once nothing writes to it`,
  );
}
