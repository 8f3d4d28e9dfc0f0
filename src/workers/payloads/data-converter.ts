// The payload converter of clients and workers: encrypts if there are keys.

import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { entryUrl } from '../../process/child-service.ts';
import { EncryptionCodec } from './encryption-codec.ts';
import { type PayloadKeys, readPayloadKeys } from './keys.ts';

/** Path of the module that puts error texts into payloads. */
export const failureConverterPath = fileURLToPath(entryUrl(import.meta.url, './failure-converter'));

/**
 * The converter for the given keys, by default those of the environment. Without keys it still
 * reports which key an encrypted payload needs.
 * @throws AnnealError InvalidConfig for keys that cannot be used
 */
export function dataConverter(keys: PayloadKeys = readPayloadKeys()): DataConverter {
  return {
    payloadCodecs: [new EncryptionCodec(keys)],
    ...(keys.size > 0 && { failureConverterPath }),
  };
}
