// Multipart uploads of a bucket that have neither ended nor been aborted. S3 keeps and bills their
// parts until someone aborts them.

import type { ListMultipartUploadsOutput, ListPartsOutput, Part } from '@aws-sdk/client-s3';
import { answerOf, pagesOf, whereNamed } from './client.ts';
import type { S3Object } from './objects.ts';

/** An upload: its id, the key that it is for, and the parts so far. */
export interface S3Upload extends S3Object {
  id: string;
}

/** Unfinished uploads to keys that start with `prefix`. @throws AnnealError StoreUnavailable */
export async function unfinishedUploads(bucket: string, prefix: string): Promise<S3Upload[]> {
  const found: S3Upload[] = [];
  for await (const { Uploads = [] } of uploadPages(bucket, prefix))
    for (const { Key, UploadId, Initiated } of Uploads) {
      // It may end in the meantime.
      const parts = await partsOf(bucket, Key!, UploadId!).catch(whereNamed(['NoSuchUpload'], []));
      const times = [Initiated!, ...parts.map(({ LastModified }) => LastModified!)];
      found.push({
        key: Key!,
        id: UploadId!,
        bytes: parts.reduce((sum, { Size }) => sum + Size!, 0),
        changedMs: Math.max(...times.map(Number)),
      });
    }
  return found;
}

/** Abort an upload; does nothing if it has ended already. @throws AnnealError StoreUnavailable */
export async function abortUpload(bucket: string, key: string, id: string): Promise<void> {
  await answerOf(`s3://${bucket}/${key}`, (client, { AbortMultipartUploadCommand }) =>
    client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: id })),
  ).catch(whereNamed(['NoSuchUpload'], undefined));
}

function uploadPages(bucket: string, prefix: string) {
  return pagesOf<ListMultipartUploadsOutput>((last) =>
    answerOf(`s3://${bucket}/${prefix}`, (client, { ListMultipartUploadsCommand }) =>
      client.send(
        new ListMultipartUploadsCommand({
          Bucket: bucket,
          Prefix: prefix,
          KeyMarker: last?.NextKeyMarker,
          UploadIdMarker: last?.NextUploadIdMarker,
        }),
      ),
    ),
  );
}

async function partsOf(bucket: string, key: string, id: string): Promise<Part[]> {
  const pages = pagesOf<ListPartsOutput>((last) =>
    answerOf(`s3://${bucket}/${key}`, (client, { ListPartsCommand }) =>
      client.send(
        new ListPartsCommand({
          Bucket: bucket,
          Key: key,
          UploadId: id,
          PartNumberMarker: last?.NextPartNumberMarker,
        }),
      ),
    ),
  );
  const parts: Part[] = [];
  for await (const { Parts = [] } of pages) parts.push(...Parts);
  return parts;
}
