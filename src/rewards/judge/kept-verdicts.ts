// Keeps verdicts for good: one file per request, named by the hash of the question. A hash of the
// content is stored with it, so that a damaged file is noticed and the question asked again.

import { createHash } from 'node:crypto';
import type { SharedFiles } from '../reward.ts';

/** Folder of verdicts within the files that workers share. */
export const verdictsFolder = 'verdicts';

/** The path of the verdicts with this key. */
export function verdictPath(key: string): string {
  return `${verdictsFolder}/${key.slice(0, 2)}/${key}.json`;
}

/** The verdicts on `count` programs; null if they are missing or damaged. */
export async function readVerdicts<V>(
  files: SharedFiles,
  key: string,
  count: number,
): Promise<V[] | null> {
  const text = await files.read(verdictPath(key));
  if (text === null) return null;
  try {
    const verdicts = checked<V>(JSON.parse(text));
    return verdicts?.length === count ? verdicts : null;
  } catch {
    return null;
  }
}

/** Keep verdicts. */
export async function writeVerdicts(
  files: SharedFiles,
  key: string,
  verdicts: readonly unknown[],
): Promise<void> {
  await files.write(verdictPath(key), JSON.stringify({ sha256: sha256Of(verdicts), verdicts }));
}

/** Earlier versions stored a plain list, without a hash. */
function checked<V>(kept: V[] | { sha256: string; verdicts: V[] }): V[] | null {
  if (Array.isArray(kept)) return kept;
  return kept.sha256 === sha256Of(kept.verdicts) ? kept.verdicts : null;
}

function sha256Of(verdicts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(verdicts)).digest('hex');
}
