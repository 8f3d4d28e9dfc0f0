// What clients and workers alike make of payloads: encrypted where there are keys.

import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { entryUrl } from '../../process/child-service.ts';
import { EncryptionCodec } from './encryption-codec.ts';
import { type PayloadKeys, readPayloadKeys } from './keys.ts';

/** Path of the module that puts errors' texts into payloads. */
export const failureConverterPath = fileURLToPath(entryUrl(import.meta.url, './failure-converter'));

/**
 * The converter for these keys, those of the environment by default. Without any it still says of an
 * encrypted payload which key is missing.
 * @throws AnnealError InvalidConfig for keys that cannot be used
 */
export function dataConverter(keys: PayloadKeys = readPayloadKeys()): DataConverter {
  return {
    payloadCodecs: [new EncryptionCodec(keys)],
    ...(keys.size > 0 && { failureConverterPath }),
  };
}
