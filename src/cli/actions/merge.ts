// Merges adapters into their base model.

import { mkdir, readdir } from 'node:fs/promises';
import { resolveInput } from '../../config/paths.ts';
import { mergeAdapters } from '../../engine/inference/merge.ts';
import { AnnealError } from '../../errors.ts';
import { printLines } from '../terminal/output.ts';

/** @throws AnnealError InvalidModel for a folder without adapters, InvalidData if `out` has files */
export async function mergeModel(adapters: string, out: string): Promise<void> {
  const files = await readdir(out).catch(() => []);
  if (files.length > 0)
    throw new AnnealError(
      'InvalidData',
      `${out}: expected a new or empty folder, found one with ${files.length} files. Name another folder, or empty it.`,
    );
  await mkdir(out, { recursive: true });
  await mergeAdapters(resolveInput(adapters, 'model'), out);
  printLines([`merged into ${out}`]);
}
