// A run's files as objects of a bucket, with copies of its folders on this machine's disk. An object
// appears whole or not at all. A folder is its files and a listing, which is written last: without
// the listing the folder does not exist.

import { readdir, rm, stat } from 'node:fs/promises';
import { join, posix, relative, sep } from 'node:path';
import { mapConcurrently } from '../../collections/map-concurrently.ts';
import { parseS3Url } from '../address.ts';
import { hashFile } from '../file-hash.ts';
import {
  cacheRoot,
  cacheScratch,
  isCopyOf,
  keepCopy,
  type Listing,
  listingName,
} from '../folder-cache.ts';
import { uniqueSuffix } from '../local/atomic.ts';
import { damaged, describeArtifact, locateUnder, scratchBeside } from '../local/store.ts';
import { requestsAtOnce, type Store } from '../store.ts';
import { S3Objects } from './objects.ts';

/** Suffix of a log's folder. Objects cannot be appended to, so each line is an object of its own. */
const linesSuffix = '.lines';

/** The store at an `s3://bucket/prefix` address. */
export function createS3Store(address: string): Store {
  const { bucket, prefix } = parseS3Url(address);
  const objects = new S3Objects(bucket);
  const cache = cacheRoot();
  const root = join(cache, bucket, prefix);
  const locate = (path: string) => locateUnder(root, path);
  const keyOf = (path: string) =>
    posix.join(prefix, relative(root, locate(path)).split(sep).join('/'));
  return {
    async write(path, content, count) {
      await objects.put(keyOf(path), content);
      return describeArtifact(path, content, count);
    },
    async read(ref) {
      const bytes = await objects.get(keyOf(ref.path));
      if (bytes === null) throw damaged(ref.path, 'there is no such object');
      const found = describeArtifact(ref.path, bytes);
      if (found.sha256 !== ref.sha256)
        throw damaged(ref.path, `expected sha256 ${ref.sha256}, found ${found.sha256}`);
      return bytes;
    },
    async readText(path) {
      const key = keyOf(path);
      return (await objects.get(key))?.toString() ?? readLines(objects, `${key}${linesSuffix}/`);
    },
    append: (path, line) => objects.put(`${keyOf(path)}${linesSuffix}/${lineName()}`, `${line}\n`),
    scratch: (path) => scratchBeside(locate(path)),
    async commitFolder(scratch, path) {
      const listing = await describeFolder(scratch);
      await uploadFolder(objects, scratch, keyOf(path), listing);
      await keepCopy(cache, scratch, locate(path), listing);
    },
    async list(path) {
      const names = await objects.names(`${keyOf(path)}/`);
      const shown = names.filter((name) => !name.startsWith('.'));
      return shown.map((name) => name.replace(linesPattern, '')).sort();
    },
    async remove(path) {
      const key = keyOf(path);
      const within = await objects.keys(`${key}/`);
      const lines = await objects.keys(`${key}${linesSuffix}/`);
      await mapConcurrently([key, ...within, ...lines], requestsAtOnce, (name) =>
        objects.delete(name),
      );
      await rm(locate(path), { recursive: true, force: true });
    },
    async fetchFolder(path) {
      const key = keyOf(path);
      const folder = locate(path);
      const listing = (await objects.get(`${key}/${listingName}`))?.toString();
      if (listing === undefined) throw damaged(path, 'the folder is missing or incomplete');
      if (await isCopyOf(folder, listing)) return folder;
      const scratch = await cacheScratch(cache);
      try {
        for (const { name, sha256 } of (JSON.parse(listing) as Listing).files) {
          const found = await objects.download(`${key}/${name}`, locateUnder(scratch, name));
          if (found !== sha256)
            throw damaged(
              `${path}/${name}`,
              `expected sha256 ${sha256}, found ${found ?? 'no object'}`,
            );
        }
        await keepCopy(cache, scratch, folder, listing);
        return folder;
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
    },
  };
}

const linesPattern = new RegExp(`\\${linesSuffix}$`);

let lines = 0;

/** Sorts by time; lines of one process within a millisecond keep their order. */
function lineName(): string {
  return `${Date.now()}-${String(++lines).padStart(9, '0')}-${uniqueSuffix()}`;
}

async function readLines(objects: S3Objects, prefix: string): Promise<string | null> {
  const keys = (await objects.keys(prefix)).sort();
  if (keys.length === 0) return null;
  const found = await mapConcurrently(keys, requestsAtOnce, (key) => objects.get(key));
  return found.map((line) => line?.toString() ?? '').join('');
}

async function describeFolder(folder: string): Promise<string> {
  const files: Listing['files'] = [];
  for (const name of (await readdir(folder)).sort()) {
    const { size } = await stat(join(folder, name));
    files.push({ name, bytes: size, sha256: await hashFile(join(folder, name)) });
  }
  return `${JSON.stringify({ files } satisfies Listing, null, 2)}\n`;
}

/** The listing comes last, so that until then the folder is missing or still the old one. */
async function uploadFolder(objects: S3Objects, folder: string, key: string, listing: string) {
  const mark = `${key}/${listingName}`;
  const files = (JSON.parse(listing) as Listing).files.map(({ name }) => name);
  for (const name of files) await objects.upload(`${key}/${name}`, join(folder, name));
  const wanted = new Set([listingName, ...files].map((name) => `${key}/${name}`));
  for (const other of await objects.keys(`${key}/`))
    if (!wanted.has(other)) await objects.delete(other);
  await objects.put(mark, listing);
}
