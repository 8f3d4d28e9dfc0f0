// This process's S3 client: the AWS SDK, loaded with the first request; pages of listings; failures
// as Anneal's errors. Credentials and endpoint come from the standard AWS configuration: AWS_*
// variables, profiles, roles.

import type { S3Client } from '@aws-sdk/client-s3';
import { AnnealError, storeFailure } from '../../errors.ts';

const connectTimeoutMs = 10_000;
/** A connection without traffic for this long is closed. */
const silenceTimeoutMs = 60_000;

/** The pages of a listing; `fetch` requests the page after `last`. */
export async function* pagesOf<P extends { IsTruncated?: boolean | undefined }>(
  fetch: (last: P | undefined) => Promise<P>,
): AsyncGenerator<P> {
  let page: P | undefined;
  do {
    page = await fetch(page);
    yield page;
    // Some services send a continuation token with the last page too.
  } while (page.IsTruncated);
}

export type Sdk = typeof import('@aws-sdk/client-s3');

let loaded: Promise<{ client: S3Client; sdk: Sdk }> | undefined;

/** The SDK and this process's client. */
async function load() {
  const sdk = await import('@aws-sdk/client-s3');
  // Self-hosted servers rarely have a host name for each bucket.
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env;
  const client = new sdk.S3Client({
    forcePathStyle: Boolean(AWS_ENDPOINT_URL_S3 || AWS_ENDPOINT_URL),
    requestHandler: { connectionTimeout: connectTimeoutMs, socketTimeout: silenceTimeoutMs },
    // Readers check artifacts against their SHA-256.
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  return { client, sdk };
}

/** S3's answer to a request. @throws AnnealError StoreUnavailable, with the URL, on a failure */
export async function answerOf<T>(url: string, send: (client: S3Client, sdk: Sdk) => Promise<T>) {
  loaded ??= load();
  const { client, sdk } = await loaded;
  try {
    return await send(client, sdk);
  } catch (cause) {
    // The local disk may be the one that failed.
    if (storeFailure(cause) !== cause) throw storeFailure(cause);
    const { name, message } = cause as Error;
    throw new AnnealError(
      'StoreUnavailable',
      `${url}: expected S3 to answer, but ${name}: ${message.replace(/\.$/, '')}. Credentials, region and endpoint come from the AWS configuration; check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL.`,
      { cause },
    );
  }
}

/** For `catch`: `value` if S3 refused with one of these codes. */
export function whereNamed<T>(codes: readonly string[], value: T) {
  return (error: unknown): T => {
    const { cause } = error as Error;
    if (cause instanceof Error && codes.includes(cause.name)) return value;
    throw error;
  };
}
