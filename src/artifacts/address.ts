// Addresses of runs: the absolute path of a folder, or `s3://bucket/prefix` in an object store.

import * as local from 'node:path';
import { AnnealError } from '../errors.ts';

const bucketName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Whether an address is in an object store. */
export function isS3Url(address: string): boolean {
  return address.startsWith('s3://');
}

/** Bucket and prefix of an `s3://` address; the prefix may be empty and has no final slash. */
export function parseS3Url(address: string): { bucket: string; prefix: string } {
  const [bucket = '', ...names] = address.slice('s3://'.length).replace(/\/+$/, '').split('/');
  if (!bucketName.test(bucket) || names.some((name) => ['', '.', '..'].includes(name)))
    throw new AnnealError(
      'InvalidConfig',
      `expected s3://BUCKET or s3://BUCKET/PREFIX with a bucket name in lower case, found '${address}'`,
    );
  return { bucket, prefix: names.join('/') };
}

/** Make a path absolute; check and trim an `s3://` address. */
export function resolveAddress(address: string): string {
  if (!isS3Url(address)) return local.resolve(address);
  const { bucket, prefix } = parseS3Url(address);
  return joinAddress(`s3://${bucket}`, ...(prefix === '' ? [] : [prefix]));
}

/** Append names to an address. */
export function joinAddress(address: string, ...names: string[]): string {
  return isS3Url(address) ? [address, ...names].join('/') : local.join(address, ...names);
}

/** Split the address of a folder two levels down in a run, such as a checkpoint's. */
export function splitAddress(address: string): { run: string; path: string } {
  const { dirname, basename } = isS3Url(address) ? local.posix : local;
  const parent = dirname(address);
  return { run: dirname(parent), path: `${basename(parent)}/${basename(address)}` };
}
