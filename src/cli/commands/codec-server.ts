// `anneal codec-server`: decrypts payloads for the Web UI and Temporal's command line.

import { AnnealError } from '../../errors.ts';
import { startCodecServer } from '../../workers/payloads/codec-server.ts';
import { EncryptionCodec } from '../../workers/payloads/encryption-codec.ts';
import { type PayloadKeys, readPayloadKeys } from '../../workers/payloads/keys.ts';
import { exitCodes } from '../terminal/exit.ts';
import { aborted, interruptible } from '../terminal/interrupt.ts';
import { printLines } from '../terminal/output.ts';

export interface CodecServerFlags {
  host: string;
  port: number;
  origin: readonly string[];
}

/** Serve until Ctrl-C. @throws AnnealError InvalidConfig where there is no key. */
export async function codecServerCommand({ origin, ...place }: CodecServerFlags): Promise<number> {
  const keys = neededKeys();
  const token = process.env.ANNEAL_CODEC_TOKEN;
  const codec = new EncryptionCodec(keys);
  const server = await startCodecServer({ ...place, codec, origins: origin, token });
  printLines([
    `codec server  ${server.url}, with the keys ${[...keys.keys()].join(', ')}`,
    `CLI           temporal workflow show --codec-endpoint ${server.url} …`,
    `Web UI        its address in the settings under Codec Server; pages of ${origin.join(', ')} may ask`,
    'Ctrl-C ends this.',
  ]);
  await interruptible(aborted);
  await server.close();
  return exitCodes.ok;
}

function neededKeys(): PayloadKeys {
  const keys = readPayloadKeys();
  if (keys.size > 0) return keys;
  const message =
    'expected payload keys, found none: set ANNEAL_PAYLOAD_KEYS_FILE or ANNEAL_PAYLOAD_KEYS, as docs/security.md says';
  throw new AnnealError('InvalidConfig', message);
}
