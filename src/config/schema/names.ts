// Names that become files and folders, or parts of workflow ids.

import type { z } from 'zod';

/** The longest name of a file or folder on common file systems, in bytes of UTF-8. */
export const longestName = 255;

/** Why a name, or a part of a path, cannot be a file's; null if it can. */
export function problemOfName(name: string): string | null {
  const bytes = Buffer.byteLength(name);
  if (bytes <= longestName) return null;
  const found = bytes === name.length ? `${bytes}` : `${name.length} characters in ${bytes} bytes`;
  return `expected at most ${longestName} bytes, the longest name of a file, found ${found}`;
}

/** Refuses a name, or a path with a part, that no file can have. */
export function fitsFileName(path: string, context: z.RefinementCtx): void {
  const problem = path
    .split(/[/\\]/)
    .map(problemOfName)
    .find((found) => found !== null);
  if (problem) context.addIssue({ code: 'custom', message: problem });
}
