// The verdicts that are kept for good: a file for every request, named by the hash of what was
// asked, with a hash of its content in it, so that one that was damaged is asked for again.

import { createHash } from 'node:crypto';
import type { SharedFiles } from '../reward.ts';
import type { Verdict } from './verdict.ts';

/** Where verdicts lie, under the folder that workers share. */
export const verdictsFolder = 'verdicts';

/** The path of the verdicts that bear a name. */
export function verdictPath(name: string): string {
  return `${verdictsFolder}/${name.slice(0, 2)}/${name}.json`;
}

/** The verdicts on `count` programs; null where there are none, or they are damaged. */
export async function readVerdicts(
  files: SharedFiles,
  name: string,
  count: number,
): Promise<Verdict[] | null> {
  const text = await files.read(verdictPath(name));
  if (text === null) return null;
  try {
    const verdicts = checked(JSON.parse(text));
    return verdicts?.length === count ? verdicts : null;
  } catch {
    return null;
  }
}

/** Keep verdicts. */
export async function writeVerdicts(
  files: SharedFiles,
  name: string,
  verdicts: readonly Verdict[],
): Promise<void> {
  await files.write(verdictPath(name), JSON.stringify({ sha256: sha256Of(verdicts), verdicts }));
}

/** A list alone, without a hash, is what earlier versions kept. */
function checked(kept: Verdict[] | { sha256: string; verdicts: Verdict[] }): Verdict[] | null {
  if (Array.isArray(kept)) return kept;
  return kept.sha256 === sha256Of(kept.verdicts) ? kept.verdicts : null;
}

function sha256Of(verdicts: readonly Verdict[]): string {
  return createHash('sha256').update(JSON.stringify(verdicts)).digest('hex');
}
