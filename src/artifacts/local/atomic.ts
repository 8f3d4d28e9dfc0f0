// Atomic files: written under a temporary name, synced, renamed, and the folder synced too, so that
// neither a kill nor a power cut leaves half a file. Only the owner has access to files and folders,
// whatever the umask: samples may contain private text.

import { createHash, randomBytes } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { access, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Permissions of artifacts and their folders. */
export const fileMode = 0o600;
export const folderMode = 0o700;

/** Make a folder and any missing parents. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: folderMode });
  } catch (error) {
    // On a read-only disk mkdir(recursive) reports a missing folder.
    let above = dirname(path);
    while (!existsSync(above)) above = dirname(above);
    await access(above, constants.W_OK);
    throw error;
  }
}

/** Write `content` to `path`, replacing any file in one step; missing folders are created. */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `${stemOf(path)}.${uniqueSuffix()}.tmp`);
  await makeFolder(dirname(path));
  try {
    const file = await open(temporary, 'wx', fileMode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncPath(dirname(path));
}

/** Wait until the file's content, or the folder's list of names, is on the disk. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Room for what is put around a name; file systems take 255 bytes. */
const longestStem = 200;

/** The name of a file or folder for its scratch names: itself, or its beginning and its hash. */
export function stemOf(path: string): string {
  const name = basename(path);
  if (Buffer.byteLength(name) <= longestStem) return name;
  const hash = createHash('sha256').update(name).digest('hex');
  return `${[...name].slice(0, 30).join('')}-${hash.slice(0, 32)}`;
}

/** A suffix that no other writer chooses. */
export function uniqueSuffix(): string {
  return randomBytes(6).toString('hex');
}
