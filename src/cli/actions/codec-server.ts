// Decrypts payloads for Temporal's Web UI and CLI.

import { AnnealError } from '../../errors.ts';
import { startCodecServer } from '../../workers/payloads/codec-server.ts';
import { EncryptionCodec } from '../../workers/payloads/encryption-codec.ts';
import { type PayloadKeys, readPayloadKeys } from '../../workers/payloads/keys.ts';
import { aborted, interruptible } from '../terminal/interrupt.ts';
import { printLines } from '../terminal/output.ts';

export interface CodecServerOptions {
  host: string;
  port: number;
  origin: readonly string[];
}

/** Serve until Ctrl-C. @throws AnnealError InvalidConfig if there is no key. */
export async function serveCodec({ origin, ...place }: CodecServerOptions): Promise<void> {
  const keys = requiredKeys();
  const token = process.env.ANNEAL_CODEC_TOKEN;
  const codec = new EncryptionCodec(keys);
  const server = await startCodecServer({ ...place, codec, origins: origin, token });
  printLines([
    `codec server  ${server.url}, keys ${[...keys.keys()].join(', ')}`,
    `CLI           temporal workflow show --codec-endpoint ${server.url} …`,
    `Web UI        enter this address under Codec Server; allowed origins: ${origin.join(', ')}`,
    'Press Ctrl-C to stop.',
  ]);
  await interruptible(aborted);
  await server.close();
}

function requiredKeys(): PayloadKeys {
  const keys = readPayloadKeys();
  if (keys.size > 0) return keys;
  const message =
    'expected payload keys, found none. Set ANNEAL_PAYLOAD_KEYS_FILE or ANNEAL_PAYLOAD_KEYS; see docs/security.md.';
  throw new AnnealError('InvalidConfig', message);
}
