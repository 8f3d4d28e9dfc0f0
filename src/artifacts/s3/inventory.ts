// The inventory of a folder of runs in a bucket: objects, and unfinished multipart uploads.

import { posix } from 'node:path';
import { mapConcurrently } from '../../collections/map-concurrently.ts';
import { parseS3Url } from '../address.ts';
import { listingName } from '../folder-cache.ts';
import type { Inventory } from '../inventory.ts';
import { requestsAtOnce } from '../store.ts';
import { S3Objects } from './objects.ts';
import { abortUpload, unfinishedUploads } from './uploads.ts';

/** Separates the key and the id of an upload, as in S3's own requests. */
const uploadMark = '?uploadId=';
/** Checkpoints of a run's and its refits' epochs; those it starts from precede its manifest. */
const checkpointPattern = /^.+?\/checkpoints\/epoch-\d+(?=\/)/;

/** The inventory of an `s3://bucket/prefix` address. */
export function createS3Inventory(address: string): Inventory {
  const { bucket, prefix } = parseS3Url(address);
  const objects = new S3Objects(bucket);
  const root = prefix === '' ? '' : `${prefix}/`;
  const pathOf = (key: string) => key.slice(root.length);

  async function entries(folder: string) {
    const there = await objects.all(`${root}${folder}/`);
    const uploads = await unfinishedUploads(bucket, `${root}${folder}/`);
    return [
      ...there.map(({ key, ...rest }) => ({ path: pathOf(key), ...rest })),
      ...uploads.map(({ key, id, ...rest }) => ({ path: pathOf(key) + uploadMark + id, ...rest })),
    ];
  }

  function removeOne(path: string): Promise<void> {
    const [name, id] = path.split(uploadMark) as [string, string?];
    return id === undefined ? objects.delete(root + name) : abortUpload(bucket, root + name, id);
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
      // A folder copied into the bucket by another program has no listings at all.
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
