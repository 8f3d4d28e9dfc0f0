// Objects of one bucket by key. s3/store.ts and s3/inventory.ts give the keys their meaning.

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ListObjectsV2Output, S3Client } from '@aws-sdk/client-s3';
import { AnnealError } from '../../errors.ts';
import { answerOf, pagesOf, type Sdk, whereNamed } from './client.ts';

/** Larger files are uploaded in parts of this size and appear once the last part is there. */
const partBytes = 16 * 2 ** 20;
const longestKey = 1024;

export interface S3Object {
  key: string;
  bytes: number;
  /** Unix ms. */
  changedMs: number;
}

/** The objects of a bucket. Every method throws AnnealError StoreUnavailable if S3 refuses, and InvalidConfig for a key that is too long. */
export class S3Objects {
  readonly #bucket: string;

  constructor(bucket: string) {
    this.#bucket = bucket;
  }

  /** The bytes of an object; null if there is none. */
  get(key: string): Promise<Buffer | null> {
    return this.#request(key, async (client, { GetObjectCommand }) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }));
      return Buffer.from(await Body!.transformToByteArray());
    }).catch(whereNamed(['NoSuchKey'], null));
  }

  /** Write an object whole, replacing any other. */
  async put(key: string, content: string | Uint8Array): Promise<void> {
    await this.#write(key, content, false);
  }

  /** Write an object unless there is one. @returns whether it was written */
  async create(key: string, content: string): Promise<boolean> {
    for (;;) {
      const outcome = await this.#write(key, content, true)
        .then(
          () => true,
          // Another writer is creating it and may still fail.
          whereNamed(['ConditionalRequestConflict'], null),
        )
        .catch(whereNamed(['PreconditionFailed'], false));
      if (outcome !== null) return outcome;
    }
  }

  /** Upload a file of any size; the object appears whole or not at all. */
  async upload(key: string, file: string): Promise<void> {
    const { Upload } = await import('@aws-sdk/lib-storage');
    await this.#request(key, (client) =>
      new Upload({
        client,
        params: { Bucket: this.#bucket, Key: key, Body: createReadStream(file) },
        partSize: partBytes,
      }).done(),
    );
  }

  /** Download an object to a file. @returns its SHA-256; null if there is no such object */
  download(key: string, file: string): Promise<string | null> {
    return this.#request(key, async (client, { GetObjectCommand }) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }));
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
    }).catch(whereNamed(['NoSuchKey'], null));
  }

  /** Every object whose key starts with `prefix`, in key order. */
  async all(prefix: string): Promise<S3Object[]> {
    const found: S3Object[] = [];
    for await (const { Contents = [] } of this.#pages(prefix))
      for (const { Key, Size, LastModified } of Contents)
        found.push({ key: Key!, bytes: Size!, changedMs: LastModified!.getTime() });
    return found;
  }

  /** Their keys. */
  async keys(prefix: string): Promise<string[]> {
    return (await this.all(prefix)).map(({ key }) => key);
  }

  /** Names of objects and folders one level below a prefix that ends in a slash. */
  async names(prefix: string): Promise<string[]> {
    const names: string[] = [];
    for await (const { Contents = [], CommonPrefixes = [] } of this.#pages(prefix, '/')) {
      const found = [...Contents.map((o) => o.Key!), ...CommonPrefixes.map((p) => p.Prefix!)];
      names.push(...found.map((key) => key.slice(prefix.length).replace(/\/$/, '')));
    }
    return names.filter((name) => name !== '');
  }

  /** Delete an object; does nothing if it is gone already. */
  async delete(key: string): Promise<void> {
    await this.#request(key, (client, { DeleteObjectCommand }) =>
      client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key })),
    );
  }

  #write(key: string, content: string | Uint8Array, unlessThere: boolean) {
    const body = Buffer.from(content);
    return this.#request(key, (client, { PutObjectCommand }) =>
      client.send(
        new PutObjectCommand({
          Bucket: this.#bucket,
          Key: key,
          Body: body,
          // The service rejects content that was damaged on the way.
          ChecksumSHA256: createHash('sha256').update(body).digest('base64'),
          ...(unlessThere && { IfNoneMatch: '*' }),
        }),
      ),
    );
  }

  /** Pages of a listing: of all keys, or with a delimiter of the level below the prefix. */
  #pages(prefix: string, delimiter?: string) {
    return pagesOf<ListObjectsV2Output>((last) =>
      this.#request(prefix, (client, { ListObjectsV2Command }) =>
        client.send(
          new ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: prefix,
            ContinuationToken: last?.NextContinuationToken,
            Delimiter: delimiter,
          }),
        ),
      ),
    );
  }

  async #request<T>(key: string, send: (client: S3Client, sdk: Sdk) => Promise<T>): Promise<T> {
    const bytes = Buffer.byteLength(key);
    if (bytes > longestKey)
      throw new AnnealError(
        'InvalidConfig',
        `s3://${this.#bucket}/${key.slice(0, 80)}…: expected a key of at most ${longestKey} bytes, as S3 takes, found ${bytes}; shorten the prefix in --runs-dir, or the name`,
      );
    return answerOf(`s3://${this.#bucket}/${key}`, send);
  }
}
