// A model folder's weights: checked against the decoder's description, then either read as
// float32 arrays (for training) or pointed at as external data (for sampling and scoring).

import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AnnealError } from '../../errors.ts';
import type { Builder } from '../graph/operators.ts';
import type { Value } from '../graph/value.ts';
import type { DecoderConfig } from './config.ts';
import type { Parameters } from './decoder.ts';
import { parseJson } from './json.ts';
import { type ParameterSpec, parameterSpecs } from './parameters.ts';
import { readHeader, type TensorEntry, toFloat32 } from './safetensors.ts';

/** Name of the weights of a model that is not sharded. */
export const singleFile = 'model.safetensors';
const indexFile = 'model.safetensors.index.json';

const dtypes = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;

/** A parameter in one of the folder's files. */
interface LocatedTensor extends TensorEntry {
  dtype: keyof typeof dtypes;
  /** Name of the file within the folder. */
  file: string;
}

/**
 * Where every parameter lies, in `model.safetensors` or the shards that the index names.
 * @throws AnnealError InvalidModel naming file and tensor
 */
export async function locateParameters(
  folder: string,
  c: DecoderConfig,
): Promise<Map<string, LocatedTensor>> {
  const specs = parameterSpecs(c);
  const fileOf = await weightMap(folder);
  const files = new Set(specs.map(({ name }) => fileOf(name)));
  const headers = new Map<string, Map<string, TensorEntry>>();
  for (const file of files) headers.set(file, await readHeader(join(folder, file)));
  return new Map(
    specs.map((spec) => {
      const file = fileOf(spec.name);
      return [spec.name, { ...check(join(folder, file), headers.get(file)!, spec), file }];
    }),
  );
}

/** Which file holds a tensor: one for all, or as the index of a sharded checkpoint says. */
async function weightMap(folder: string): Promise<(tensor: string) => string> {
  const path = join(folder, indexFile);
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return () => singleFile;
  // Names alone: an index must not point out of its folder.
  const fileName = z.string().regex(/^[^/\\]+$/);
  const schema = z.looseObject({ weight_map: z.record(z.string(), fileName) });
  const parsed = schema.safeParse(parseJson(path, text));
  if (!parsed.success)
    throw new AnnealError('InvalidModel', `${path}: ${z.prettifyError(parsed.error)}`);
  return (tensor) => {
    const file = parsed.data.weight_map[tensor];
    if (file) return file;
    throw new AnnealError(
      'InvalidModel',
      `${path}: expected a file for tensor ${tensor}, found none`,
    );
  };
}

function check(path: string, header: Map<string, TensorEntry>, { name, shape }: ParameterSpec) {
  const entry = header.get(name);
  if (!entry)
    throw new AnnealError(
      'InvalidModel',
      `${path}: expected tensor ${name} [${shape}], found none of that name among ${header.size}`,
    );
  const { dtype } = entry;
  if (dtype === 'I64' || String(entry.shape) !== String(shape))
    throw new AnnealError(
      'InvalidModel',
      `${path}: expected tensor ${name} of floats [${shape}], found ${dtype} [${entry.shape}]`,
    );
  return { ...entry, dtype };
}

/** Parameters as float32 arrays by name, in the order of `parameterSpecs`. */
export async function readParameters(
  folder: string,
  c: DecoderConfig,
): Promise<Map<string, Float32Array>> {
  const { entries, files } = await openWeights(folder, c);
  return new Map(
    [...entries].map(([name, entry]) => [name, toFloat32(files.get(entry.file)!, entry)]),
  );
}

/** Weights that a graph points into: where each lies, and the files' bytes for the session. */
export interface ExternalWeights {
  entries: Map<string, LocatedTensor>;
  files: Map<string, Uint8Array>;
}

/** Open a folder's weights as external data of a graph. @throws AnnealError InvalidModel */
export async function openWeights(folder: string, c: DecoderConfig): Promise<ExternalWeights> {
  const entries = await locateParameters(folder, c);
  const files = new Map<string, Uint8Array>();
  for (const file of new Set([...entries.values()].map((entry) => entry.file)))
    files.set(file, await readWhole(join(folder, file)));
  return { entries, files };
}

/** A file's bytes, of any size (fs.readFile ends at 2 GiB). */
async function readWhole(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const bytes = new Uint8Array(size);
    const part = 1 << 30;
    for (let at = 0; at < size; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(part, size - at), at);
      if (bytesRead === 0)
        throw new AnnealError('InvalidModel', `${path}: expected ${size} bytes, found ${at}`);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

/** Parameters as initializers that point straight into the files; cast where not float32. */
export function parameterInitializers(g: Builder, weights: ExternalWeights): Parameters {
  return new Map(
    [...weights.entries].map(([name, { dtype, shape, file, offset, length }]): [string, Value] => {
      const data = { location: file, offset, length };
      return [name, g.cast(g.initializer(name, shape, dtypes[dtype], data), 'float32')];
    }),
  );
}
