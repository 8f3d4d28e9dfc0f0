// What lies in a folder of runs in a bucket: objects, and uploads in parts that have not ended.

import { posix } from 'node:path';
import { mapConcurrently } from '../../collections/map-concurrently.ts';
import { parseS3Url } from '../address.ts';
import { listingName } from '../folder-cache.ts';
import type { Inventory } from '../inventory.ts';
import { requestsAtOnce } from '../store.ts';
import { s3Objects } from './objects.ts';

/** Sets an upload's id off from the key that it is to become, as in S3's own requests. */
const uploadMark = '?uploadId=';
/** Of a run and of its refits. What a run starts from is whole before the run has a manifest. */
const checkpointPattern = /^.+?\/checkpoints\/epoch-\d+(?=\/)/;

/** The inventory of what lies under an `s3://bucket/prefix` address. */
export function createS3Inventory(address: string): Inventory {
  const { bucket, prefix } = parseS3Url(address);
  const objects = s3Objects(bucket);
  const root = prefix === '' ? '' : `${prefix}/`;
  const pathOf = (key: string) => key.slice(root.length);

  async function entries(folder: string) {
    const there = await objects.all(`${root}${folder}/`);
    const uploads = await objects.uploads(`${root}${folder}/`);
    return [
      ...there.map(({ key, ...rest }) => ({ path: pathOf(key), ...rest })),
      ...uploads.map(({ key, id, ...rest }) => ({ path: pathOf(key) + uploadMark + id, ...rest })),
    ];
  }

  function removeOne(path: string): Promise<void> {
    const [name, id] = path.split(uploadMark) as [string, string?];
    return id === undefined ? objects.delete(root + name) : objects.abort(root + name, id);
  }

  return {
    folders: () => objects.names(root),
    entries,
    unfinished(entries) {
      const paths = entries.map(({ path }) => path);
      const uploads = paths.filter((path) => path.includes(uploadMark));
      const whole = new Set(
        paths.filter((path) => posix.basename(path) === listingName).map(posix.dirname),
      );
      // What other programs have copied into the bucket has no listings at all.
      if (whole.size === 0) return uploads;
      const checkpoints = new Set(paths.flatMap((path) => checkpointPattern.exec(path) ?? []));
      return [...[...checkpoints].filter((path) => !whole.has(path)), ...uploads];
    },
    async remove(path) {
      const within = path.includes(uploadMark) ? [] : await entries(path);
      await mapConcurrently(
        [path, ...within.map((entry) => entry.path)],
        requestsAtOnce,
        removeOne,
      );
    },
  };
}
