// How this process speaks with S3: the AWS SDK, which is loaded with the first request, pages of
// listings, and refusals as Anneal's errors. Which service, where and as whom is the standard AWS
// configuration's to say: AWS_* variables, profiles, roles.

import type { S3Client } from '@aws-sdk/client-s3';
import { AnnealError, storeFailure } from '../../errors.ts';

const connectTimeoutMs = 10_000;
/** A connection on which nothing moves for so long is given up. */
const silenceTimeoutMs = 60_000;

/** The pages of a listing; `fetch` asks for the one after the last. */
export async function* pagesOf<P extends { IsTruncated?: boolean | undefined }>(
  fetch: (last: P | undefined) => Promise<P>,
): AsyncGenerator<P> {
  let page: P | undefined;
  do {
    page = await fetch(page);
    yield page;
    // What comes next is named by some services on the last page too.
  } while (page.IsTruncated);
}

export type Sdk = typeof import('@aws-sdk/client-s3');

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

/** What S3 answers to a request. @throws AnnealError StoreUnavailable, with the URL, where it does not */
export async function answerOf<T>(url: string, send: (client: S3Client, sdk: Sdk) => Promise<T>) {
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
export function whereNamed<T>(codes: readonly string[], value: T) {
  return (error: unknown): T => {
    const { cause } = error as Error;
    if (cause instanceof Error && codes.includes(cause.name)) return value;
    throw error;
  };
}
