// Objects of a bucket by key, over the AWS SDK, which is loaded with the first request. Which
// service, where and as whom is the standard AWS configuration's to say: AWS_* variables, profiles,
// roles. What the objects mean is s3-store.ts's affair.

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { AnnealError, storeFailure } from '../errors.ts';

const connectTimeoutMs = 10_000;
/** A connection on which nothing moves for so long is given up. */
const silenceTimeoutMs = 60_000;
/** Larger files go up in parts of this size, a few at once, and appear when the last is there. */
const partBytes = 16 * 2 ** 20;

/** Objects of one bucket. Every method throws AnnealError StoreUnavailable where S3 refuses. */
export type S3Objects = ReturnType<typeof s3Objects>;

export function s3Objects(bucket: string) {
  const request = <T>(key: string, send: (client: S3Client, sdk: Sdk) => Promise<T>) =>
    answerOf(`s3://${bucket}/${key}`, send);

  /** What a page of keys, or of the names one level down, holds. */
  async function* pages(prefix: string, delimiter?: string) {
    let token: string | undefined;
    do {
      const page = await request(prefix, (client, { ListObjectsV2Command }) =>
        client.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            ContinuationToken: token,
            Delimiter: delimiter,
          }),
        ),
      );
      yield page;
      token = page.NextContinuationToken;
    } while (token !== undefined);
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

    /** Every key that begins so, in order. */
    async keys(prefix: string): Promise<string[]> {
      const keys: string[] = [];
      for await (const { Contents = [] } of pages(prefix))
        keys.push(...Contents.map((o) => o.Key!));
      return keys;
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

type Sdk = typeof import('@aws-sdk/client-s3');

let loaded: Promise<{ client: S3Client; sdk: Sdk }> | undefined;

/** The SDK and this process's client. */
async function load() {
  const sdk = await import('@aws-sdk/client-s3');
  // Servers of one's own seldom have a host name for every bucket.
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env;
  const client = new sdk.S3Client({
    forcePathStyle: Boolean(AWS_ENDPOINT_URL_S3 || AWS_ENDPOINT_URL),
    requestHandler: { connectionTimeout: connectTimeoutMs, socketTimeout: silenceTimeoutMs },
    // Artifacts are checked against their SHA-256 by those who read them.
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  return { client, sdk };
}

async function answerOf<T>(url: string, send: (client: S3Client, sdk: Sdk) => Promise<T>) {
  loaded ??= load();
  const { client, sdk } = await loaded;
  try {
    return await send(client, sdk);
  } catch (cause) {
    // What is uploaded or downloaded is on a disk, which may be full.
    if (storeFailure(cause) !== cause) throw storeFailure(cause);
    const { name, message } = cause as Error;
    throw new AnnealError(
      'StoreUnavailable',
      `${url}: expected S3 to answer, but ${name}: ${message.replace(/\.$/, '')}. Credentials, region and endpoint are the AWS configuration's: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL.`,
      { cause },
    );
  }
}

/** For `catch`: `value` where S3 refused with one of these codes. */
function whereNamed<T>(codes: readonly string[], value: T) {
  return (error: unknown): T => {
    const { cause } = error as Error;
    if (cause instanceof Error && codes.includes(cause.name)) return value;
    throw error;
  };
}
