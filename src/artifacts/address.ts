// Where runs lie: the absolute path of a folder, or `s3://bucket/prefix` in an object store.

import * as local from 'node:path';
import { AnnealError } from '../errors.ts';

const bucketName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Whether an address names a place in an object store. */
export function isS3Url(address: string): boolean {
  return address.startsWith('s3://');
}

/** Bucket and prefix of an `s3://` address; the prefix may be empty, and ends in no slash. */
export function parseS3Url(address: string): { bucket: string; prefix: string } {
  const [bucket = '', ...names] = address.slice('s3://'.length).replace(/\/+$/, '').split('/');
  if (!bucketName.test(bucket) || names.some((name) => ['', '.', '..'].includes(name)))
    throw new AnnealError(
      'InvalidConfig',
      `expected s3://BUCKET or s3://BUCKET/PREFIX with a bucket's name in lower case, found '${address}'`,
    );
  return { bucket, prefix: names.join('/') };
}

/** A path from the current folder as an absolute one; an `s3://` address checked and trimmed. */
export function resolveAddress(address: string): string {
  if (!isS3Url(address)) return local.resolve(address);
  const { bucket, prefix } = parseS3Url(address);
  return joinAddress(`s3://${bucket}`, ...(prefix === '' ? [] : [prefix]));
}

/** The address of what lies in a place under these names. */
export function joinAddress(address: string, ...names: string[]): string {
  return isS3Url(address) ? [address, ...names].join('/') : local.join(address, ...names);
}

/** The address of a run, and the path in it of a folder two levels down, such as a checkpoint's. */
export function splitAddress(address: string): { run: string; path: string } {
  const { dirname, basename } = isS3Url(address) ? local.posix : local;
  const parent = dirname(address);
  return { run: dirname(parent), path: `${basename(parent)}/${basename(address)}` };
}
