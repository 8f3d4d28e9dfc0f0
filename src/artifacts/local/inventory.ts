// The inventory of a folder of runs on disk.

import { lstat, readdir, rm } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Entry, Inventory } from '../inventory.ts';

/** Names that the store gives to scratch folders and half-written files. */
const unfinishedPattern = /^(?:\..+\.[0-9a-f]{12}|.+\.[0-9a-f]{12}\.tmp)$/;

/** The inventory of a folder, given by its absolute path. */
export function createLocalInventory(root: string): Inventory {
  return {
    async folders() {
      const entries = await readdir(root, { withFileTypes: true }).catch(nothing);
      return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    },
    async entries(folder) {
      const names = await readdir(join(root, folder), { recursive: true }).catch(nothing);
      return (
        await Promise.all(names.map((name) => entryAt(root, join(root, folder, name))))
      ).flat();
    },
    unfinished: (entries) =>
      entries.map(({ path }) => path).filter((path) => unfinishedPattern.test(nameOf(path))),
    remove: (path) => rm(join(root, path), { recursive: true, force: true }),
  };
}

/** Empty if another process deleted it in the meantime. */
async function entryAt(root: string, absolute: string): Promise<Entry[]> {
  const info = await lstat(absolute).catch(nothing);
  if (Array.isArray(info)) return [];
  const path = relative(root, absolute).split(sep).join('/');
  return [{ path, bytes: info.isFile() ? info.size : 0, changedMs: info.mtimeMs }];
}

const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);

function nothing(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
  throw error;
}
