// The keys that encrypt payloads, from the environment or a file that it names; never from a run
// file, which is itself a payload.

import { readFileSync } from 'node:fs';
import { AnnealError } from '../../errors.ts';

/** Keys of 32 bytes by id; the first one encrypts, all decrypt. Empty: no encryption. */
export type PayloadKeys = ReadonlyMap<string, Buffer>;

const keyBytes = 32;
const howToMake = 'write ID:KEY, with a key from `openssl rand -base64 32`';

/**
 * The keys in the file ANNEAL_PAYLOAD_KEYS_FILE, or in ANNEAL_PAYLOAD_KEYS itself: `ID:KEY` items,
 * separated by new lines or commas, with keys of 32 bytes in base64.
 * @throws AnnealError InvalidConfig, which never shows a key
 */
export function readPayloadKeys(env: NodeJS.ProcessEnv = process.env): PayloadKeys {
  const { ANNEAL_PAYLOAD_KEYS: given, ANNEAL_PAYLOAD_KEYS_FILE: path } = env;
  if (given && path)
    throw new AnnealError(
      'InvalidConfig',
      'expected payload keys in one place, got both ANNEAL_PAYLOAD_KEYS and ANNEAL_PAYLOAD_KEYS_FILE; unset one',
    );
  if (path) return parse(readKeysFile(path), path);
  return given ? parse(given, 'ANNEAL_PAYLOAD_KEYS') : new Map();
}

function readKeysFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const message = `ANNEAL_PAYLOAD_KEYS_FILE cannot be read: ${(cause as Error).message}`;
    throw new AnnealError('InvalidConfig', message, { cause });
  }
}

function parse(text: string, source: string): PayloadKeys {
  const keys = new Map<string, Buffer>();
  const lines = text.split(/[\n,]/).map((line) => line.trim());
  for (const [index, line] of lines.filter((one) => one && !one.startsWith('#')).entries()) {
    const [id, encoded] = /^([\w.-]+):([A-Za-z0-9+/]+={0,2})$/.exec(line)?.slice(1) ?? [];
    const where = `key ${index + 1} of ${source}`;
    if (!id || !encoded) throw invalid(`${where} is not of the form ID:KEY; ${howToMake}`);
    const key = Buffer.from(encoded, 'base64');
    if (key.length !== keyBytes)
      throw invalid(
        `${where} ('${id}'): expected ${keyBytes} bytes, got ${key.length}; ${howToMake}`,
      );
    if (keys.has(id))
      throw invalid(`${where}: the id '${id}' appears twice; give each key its own id`);
    keys.set(id, key);
  }
  if (keys.size === 0) throw invalid(`expected a key in ${source}, found none; ${howToMake}`);
  return keys;
}

function invalid(message: string): AnnealError {
  return new AnnealError('InvalidConfig', message);
}
