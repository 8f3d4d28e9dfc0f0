// Objects of a bucket by key, and uploads that are to become some. What the objects mean is
// s3-store.ts's affair.

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type {
  ListMultipartUploadsOutput,
  ListObjectsV2Output,
  ListPartsOutput,
  Part,
  S3Client,
} from '@aws-sdk/client-s3';
import { answerOf, pagesOf, type Sdk, whereNamed } from './client.ts';

/** Larger files go up in parts of this size, a few at once, and appear when the last is there. */
const partBytes = 16 * 2 ** 20;

export interface S3Object {
  key: string;
  bytes: number;
  /** Unix ms. */
  changedMs: number;
}

/** An upload in parts: its id, and what of it is there. */
export interface S3Upload extends S3Object {
  id: string;
}

/** Objects of one bucket. Every method throws AnnealError StoreUnavailable where S3 refuses. */
export type S3Objects = ReturnType<typeof s3Objects>;

export function s3Objects(bucket: string) {
  const request = <T>(key: string, send: (client: S3Client, sdk: Sdk) => Promise<T>) =>
    answerOf(`s3://${bucket}/${key}`, send);

  /** What pages of keys, or of the names one level down, hold. */
  const pages = (prefix: string, delimiter?: string) =>
    pagesOf<ListObjectsV2Output>((last) =>
      request(prefix, (client, { ListObjectsV2Command }) =>
        client.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            ContinuationToken: last?.NextContinuationToken,
            Delimiter: delimiter,
          }),
        ),
      ),
    );

  async function all(prefix: string): Promise<S3Object[]> {
    const found: S3Object[] = [];
    for await (const { Contents = [] } of pages(prefix))
      for (const { Key, Size, LastModified } of Contents)
        found.push({ key: Key!, bytes: Size!, changedMs: LastModified!.getTime() });
    return found;
  }

  const uploadPages = (prefix: string) =>
    pagesOf<ListMultipartUploadsOutput>((last) =>
      request(prefix, (client, { ListMultipartUploadsCommand }) =>
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

  /** The parts of an upload that are there. */
  async function partsOf(key: string, id: string): Promise<Part[]> {
    const parts: Part[] = [];
    for await (const { Parts = [] } of pagesOf<ListPartsOutput>((last) =>
      request(key, (client, { ListPartsCommand }) =>
        client.send(
          new ListPartsCommand({
            Bucket: bucket,
            Key: key,
            UploadId: id,
            PartNumberMarker: last?.NextPartNumberMarker,
          }),
        ),
      ),
    ))
      parts.push(...Parts);
    return parts;
  }

  function put(key: string, content: string | Uint8Array, unlessThere: boolean) {
    const body = Buffer.from(content);
    return request(key, (client, { PutObjectCommand }) =>
      client.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: body,
          // The service refuses what was damaged on its way.
          ChecksumSHA256: createHash('sha256').update(body).digest('base64'),
          ...(unlessThere && { IfNoneMatch: '*' }),
        }),
      ),
    );
  }

  return {
    /** The bytes of an object; null where there is none. */
    get: (key: string) =>
      request(key, async (client, { GetObjectCommand }) => {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return Buffer.from(await Body!.transformToByteArray());
      }).catch(whereNamed(['NoSuchKey'], null)),

    /** Write an object whole, in place of any other. */
    async put(key: string, content: string | Uint8Array): Promise<void> {
      await put(key, content, false);
    },

    /** Write an object unless there is one. @returns whether it was written */
    async create(key: string, content: string): Promise<boolean> {
      for (;;) {
        const outcome = await put(key, content, true)
          .then(
            () => true,
            // Somebody else is writing it, and may yet fail to.
            whereNamed(['ConditionalRequestConflict'], null),
          )
          .catch(whereNamed(['PreconditionFailed'], false));
        if (outcome !== null) return outcome;
      }
    },

    /** Write a file of any size to an object, which is there whole or not at all. */
    async upload(key: string, file: string): Promise<void> {
      const { Upload } = await import('@aws-sdk/lib-storage');
      await request(key, (client) =>
        new Upload({
          client,
          params: { Bucket: bucket, Key: key, Body: createReadStream(file) },
          partSize: partBytes,
        }).done(),
      );
    },

    /** Write an object to a file. @returns its SHA-256; null where there is no such object */
    download: (key: string, file: string): Promise<string | null> =>
      request(key, async (client, { GetObjectCommand }) => {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        const hash = createHash('sha256');
        await pipeline(
          Body as Readable,
          async function* (chunks: AsyncIterable<Buffer>) {
            for await (const chunk of chunks) {
              hash.update(chunk);
              yield chunk;
            }
          },
          createWriteStream(file),
        );
        return hash.digest('hex');
      }).catch(whereNamed(['NoSuchKey'], null)),

    /** Every object whose key begins so, in their order. */
    all,

    /** The keys of those. */
    keys: async (prefix: string): Promise<string[]> => (await all(prefix)).map(({ key }) => key),

    /** Uploads in parts to keys that begin so, which have neither ended nor been given up. */
    async uploads(prefix: string): Promise<S3Upload[]> {
      const found: S3Upload[] = [];
      for await (const { Uploads = [] } of uploadPages(prefix))
        for (const { Key, UploadId, Initiated } of Uploads) {
          // It may end meanwhile.
          const parts = await partsOf(Key!, UploadId!).catch(whereNamed(['NoSuchUpload'], []));
          const times = [Initiated!, ...parts.map(({ LastModified }) => LastModified!)];
          found.push({
            key: Key!,
            id: UploadId!,
            bytes: parts.reduce((sum, { Size }) => sum + Size!, 0),
            changedMs: Math.max(...times.map(Number)),
          });
        }
      return found;
    },

    /** Give up an upload in parts; nothing where it has ended already. */
    async abort(key: string, id: string): Promise<void> {
      await request(key, (client, { AbortMultipartUploadCommand }) =>
        client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: id })),
      ).catch(whereNamed(['NoSuchUpload'], undefined));
    },

    /** Names one level below a prefix that ends in a slash: objects' and folders'. */
    async names(prefix: string): Promise<string[]> {
      const names: string[] = [];
      for await (const { Contents = [], CommonPrefixes = [] } of pages(prefix, '/')) {
        const found = [...Contents.map((o) => o.Key!), ...CommonPrefixes.map((p) => p.Prefix!)];
        names.push(...found.map((key) => key.slice(prefix.length).replace(/\/$/, '')));
      }
      return names.filter((name) => name !== '');
    },

    /** Take an object away; nothing where it is gone already. */
    async delete(key: string): Promise<void> {
      await request(key, (client, { DeleteObjectCommand }) =>
        client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key })),
      );
    },
  };
}
