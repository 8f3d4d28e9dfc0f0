// Writes safetensors files with any header, valid or not.

import { writeFile } from 'node:fs/promises';

/** Write a header, given as a value or as text, and then `data`. */
export async function writeRaw(path: string, header: unknown, data: Uint8Array): Promise<void> {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  await writeFile(path, Buffer.concat([length, json, data]));
}
