// A model folder's weights: checked against the decoder's description, then either read as
// float32 arrays (for training) or pointed at as external data (for sampling and scoring).

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AnnealError } from '../../errors.ts';
import type { Builder } from '../graph/operators.ts';
import type { Value } from '../graph/value.ts';
import type { DecoderConfig } from './config.ts';
import type { Parameters } from './decoder.ts';
import { parameterSpecs } from './parameters.ts';
import { readFloat32, readHeader, type TensorEntry } from './safetensors.ts';

const weightsFile = 'model.safetensors';

const dtypes = { F32: 'float32', F16: 'float16', BF16: 'bfloat16', I64: 'int64' } as const;

/** Where every parameter lies in `<folder>/model.safetensors`. @throws AnnealError InvalidModel */
export async function locateParameters(folder: string, c: DecoderConfig) {
  const path = join(folder, weightsFile);
  const header = await readHeader(path);
  return new Map(
    parameterSpecs(c).map(({ name, shape }) => [name, check(path, header, name, shape)]),
  );
}

function check(
  path: string,
  header: Map<string, TensorEntry>,
  name: string,
  shape: readonly number[],
): TensorEntry {
  const entry = header.get(name);
  if (!entry)
    throw new AnnealError(
      'InvalidModel',
      `${path}: expected tensor ${name} [${shape}], found none of that name among ${header.size}`,
    );
  if (entry.dtype === 'I64' || String(entry.shape) !== String(shape))
    throw new AnnealError(
      'InvalidModel',
      `${path}: expected tensor ${name} of floats [${shape}], found ${entry.dtype} [${entry.shape}]`,
    );
  return entry;
}

/** Parameters as float32 arrays by name, in the order of `parameterSpecs`. */
export async function readParameters(
  folder: string,
  c: DecoderConfig,
): Promise<Map<string, Float32Array>> {
  const located = await locateParameters(folder, c);
  const all = await readFloat32(join(folder, weightsFile));
  return new Map([...located.keys()].map((name) => [name, all.get(name)!]));
}

/** Weights that a graph points into: the entries, and the file's bytes for the session. */
export interface ExternalWeights {
  entries: Map<string, TensorEntry>;
  files: Map<string, Uint8Array>;
}

/** Open a folder's weights as external data of a graph. */
export async function openWeights(folder: string, c: DecoderConfig): Promise<ExternalWeights> {
  const entries = await locateParameters(folder, c);
  return { entries, files: new Map([[weightsFile, await readFile(join(folder, weightsFile))]]) };
}

/** Parameters as initializers that point straight into the file; converted where not float32. */
export function parameterInitializers(g: Builder, weights: ExternalWeights): Parameters {
  return new Map(
    [...weights.entries].map(([name, { dtype, shape, offset, length }]): [string, Value] => {
      const data = { location: weightsFile, offset, length };
      return [name, g.cast(g.initializer(name, shape, dtypes[dtype], data), 'float32')];
    }),
  );
}
