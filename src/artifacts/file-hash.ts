// SHA-256 of files on disk.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

/** Files that this process has hashed, with their sizes and times. */
const known = new Map<string, { stamp: string; sha256: string }>();

/** In hexadecimal. A file is not read again while its size and times stay the same. */
export async function hashFile(path: string): Promise<string> {
  const info = await stat(path);
  // Reading a pipe would wait for ever.
  if (!info.isFile()) throw new Error(`${path}: expected a file, found something else`);
  const { ino, size, mtimeMs, ctimeMs } = info;
  const stamp = `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  const before = known.get(path);
  if (before?.stamp === stamp) return before.sha256;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  const sha256 = hash.digest('hex');
  known.set(path, { stamp, sha256 });
  return sha256;
}
