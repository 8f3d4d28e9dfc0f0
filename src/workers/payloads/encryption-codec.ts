// Encrypts whole payloads with AES-256-GCM before Temporal's server stores them. Only clients and
// workers have the keys.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { AnnealError } from '../../errors.ts';
import type { PayloadKeys } from './keys.ts';

const PayloadMessage = proto.temporal.api.common.v1.Payload;
/** The name of this encoding in Temporal's samples. */
const encoding = 'binary/encrypted';
const ivBytes = 12;
const tagBytes = 16;

/**
 * Encrypts with the first key, decrypts with any; without keys it encrypts nothing. Data of an
 * encrypted payload: IV (12 bytes, random), tag (16 bytes), ciphertext of the Payload message. The
 * key's id, in the metadata `encryption-key-id`, is authenticated too. Unencrypted payloads are
 * accepted, so that encryption can be switched on during live runs.
 */
export class EncryptionCodec implements PayloadCodec {
  readonly #keys: PayloadKeys;

  constructor(keys: PayloadKeys) {
    this.#keys = keys;
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    const [first] = this.#keys;
    return first ? payloads.map((payload) => encrypt(payload, ...first)) : payloads;
  }

  /** @throws AnnealError InvalidConfig for an unknown key, DamagedArtifact for changed bytes */
  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) =>
      textOf(payload.metadata?.encoding) === encoding ? this.#decrypt(payload) : payload,
    );
  }

  #decrypt({ metadata, data }: Payload): Payload {
    const id = textOf(metadata?.['encryption-key-id']);
    const key = this.#keys.get(id);
    if (!key) {
      const held = [...this.#keys.keys()].map((name) => `'${name}'`).join(', ') || 'none';
      throw new AnnealError(
        'InvalidConfig',
        `a payload is encrypted with the key '${id}', and the keys here are: ${held}. Add that key to ANNEAL_PAYLOAD_KEYS_FILE or ANNEAL_PAYLOAD_KEYS of this process (see docs/security.md) and restart it`,
      );
    }
    try {
      return decrypt(Buffer.from(data ?? []), id, key);
    } catch (cause) {
      throw new AnnealError(
        'DamagedArtifact',
        `a payload for the key '${id}' cannot be decrypted with the key of that id here: either the keys differ, or the payload was changed`,
        { cause },
      );
    }
  }
}

function encrypt(payload: Payload, id: string, key: Buffer): Payload {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(id));
  const text = [cipher.update(PayloadMessage.encode(payload).finish()), cipher.final()];
  return {
    metadata: { encoding: Buffer.from(encoding), 'encryption-key-id': Buffer.from(id) },
    data: Buffer.concat([iv, cipher.getAuthTag(), ...text]),
  };
}

function decrypt(data: Buffer, id: string, key: Buffer): Payload {
  const decipher = createDecipheriv('aes-256-gcm', key, data.subarray(0, ivBytes), {
    authTagLength: tagBytes,
  })
    .setAAD(Buffer.from(id))
    .setAuthTag(data.subarray(ivBytes, ivBytes + tagBytes));
  const text = [decipher.update(data.subarray(ivBytes + tagBytes)), decipher.final()];
  return PayloadMessage.decode(Buffer.concat(text));
}

function textOf(bytes: Uint8Array | null | undefined): string {
  return bytes ? Buffer.from(bytes).toString() : '';
}
