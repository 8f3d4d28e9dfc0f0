// The store for an address: a folder on disk, or a bucket.

import { isS3Url, parseS3Url } from './address.ts';
import type { Inventory } from './inventory.ts';
import { createLocalInventory } from './local/inventory.ts';
import { createLocalStore, locateUnder } from './local/store.ts';
import { createS3Inventory } from './s3/inventory.ts';
import { S3Objects } from './s3/objects.ts';
import { createS3Store } from './s3/store.ts';
import { createSharedFiles, type SharedFiles } from './shared-files.ts';
import type { Store } from './store.ts';

/** The files of the run at an address: an absolute path or `s3://bucket/prefix/run`. */
export function openStore(address: string): Store {
  return isS3Url(address) ? createS3Store(address) : createLocalStore(address);
}

/** The inventory of the folder of runs at an address. */
export function openInventory(address: string): Inventory {
  return isS3Url(address) ? createS3Inventory(address) : createLocalInventory(address);
}

/** The files that workers share at an address. */
export function openSharedFiles(address: string): SharedFiles {
  if (!isS3Url(address)) return createSharedFiles(address);
  const { bucket, prefix } = parseS3Url(address);
  const objects = new S3Objects(bucket);
  const root = `/${bucket}`;
  const keyOf = (path: string) => {
    const key = locateUnder(root, path).slice(root.length + 1);
    return prefix ? `${prefix}/${key}` : key;
  };
  return {
    read: async (path) => (await objects.get(keyOf(path)))?.toString() ?? null,
    write: (path, text) => objects.put(keyOf(path), text),
    create: (path, text) => objects.create(keyOf(path), text),
    list: (folder) => objects.names(`${keyOf(folder)}/`),
    remove: (path) => objects.delete(keyOf(path)),
  };
}
