// Exports a model to other programs' formats.

import { stat } from 'node:fs/promises';
import { resolveInput } from '../../config/paths.ts';
import type { StoredType } from '../../engine/files/gguf/stored-types.ts';
import { exportGguf } from '../../engine/inference/export-gguf.ts';
import { AnnealError } from '../../errors.ts';
import { printLines } from '../terminal/output.ts';

/** @throws AnnealError InvalidModel, or InvalidData if `out` exists */
export async function exportModel(model: string, out: string, type: StoredType): Promise<void> {
  if (await stat(out).catch(() => null))
    throw new AnnealError(
      'InvalidData',
      `${out}: expected no such file, found one. Name another, or remove it.`,
    );
  const { file, modelfile } = await exportGguf(resolveInput(model, 'model'), out, type);
  const bytes = (await stat(file)).size;
  printLines([
    `wrote ${file}, ${(bytes / 1e6).toFixed(1)} MB, and ${modelfile}`,
    `Ollama: ollama create NAME -f ${modelfile}`,
  ]);
}
