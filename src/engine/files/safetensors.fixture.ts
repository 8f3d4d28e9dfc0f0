// Writes safetensors files whose header says what a test wants it to say.

import { writeFile } from 'node:fs/promises';

/** A header, or its text, as it stands; `data` follows it. */
export async function writeRaw(path: string, header: unknown, data: Uint8Array): Promise<void> {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  await writeFile(path, Buffer.concat([length, json, data]));
}
