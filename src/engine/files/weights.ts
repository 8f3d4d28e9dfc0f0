// A model folder's weights, checked against the decoder's description: read as float32 arrays for
// training, or as external data of a graph for sampling and scoring.

import { join } from 'node:path';
import { z } from 'zod';
import { AnnealError } from '../../errors.ts';
import type { DecoderConfig } from '../model/config.ts';
import type { ExternalParameter, ExternalWeights } from '../model/external-weights.ts';
import { type ParameterSpec, parameterSpecs } from '../model/parameters.ts';
import { parseJsonAs, readIfExists } from './json.ts';
import { isModelFile } from './model-files.ts';
import {
  asFloats,
  checkFinite,
  type FloatEntry,
  readHeader,
  readTensors,
  readWhole,
  type TensorEntry,
} from './safetensors.ts';
import { floatDtypes } from './tensor-bytes.ts';

/** The weights of a model that is not sharded. */
export const weightsFile = 'model.safetensors';
const indexFile = 'model.safetensors.index.json';

/** A parameter in one of the folder's files. */
interface LocatedTensor extends FloatEntry {
  /** Name of the file within the folder. */
  file: string;
}

/**
 * Where each parameter is: in `model.safetensors` or, if it does not exist, in the shards that the
 * index names.
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
      return [spec.name, { ...checkedEntry(join(folder, file), headers.get(file)!, spec), file }];
    }),
  );
}

/** The file that holds each tensor: always the same, or as the index of a sharded model says. */
async function weightMap(folder: string): Promise<(tensor: string) => string> {
  if (await isModelFile(join(folder, weightsFile))) return () => weightsFile;
  const path = join(folder, indexFile);
  const text = await readIfExists(path);
  if (text === null) throw noWeights(folder);
  // No paths: an index must not point outside its folder.
  const fileName = z.string().regex(/^[^/\\\0]*[^/\\\0.][^/\\\0]*$/);
  const schema = z.looseObject({ weight_map: z.record(z.string(), fileName) });
  const map = new Map(Object.entries(parseJsonAs(path, text, schema).weight_map));
  await checkShards(folder, map);
  return (tensor) => {
    const file = map.get(tensor);
    if (file) return file;
    throw new AnnealError(
      'InvalidModel',
      `${path}: expected a file for tensor ${tensor}, found none among ${map.size}; check that config.json belongs to these weights`,
    );
  };
}

function noWeights(folder: string): AnnealError {
  return new AnnealError(
    'InvalidModel',
    `expected weights in ${join(folder, weightsFile)} or ${indexFile}, found neither; save weights in another format as safetensors first`,
  );
}

async function checkShards(folder: string, map: ReadonlyMap<string, string>): Promise<void> {
  const firstOf = new Map([...map].reverse().map(([tensor, file]) => [file, tensor]));
  for (const [file, tensor] of firstOf)
    if (!(await isModelFile(join(folder, file))))
      throw new AnnealError(
        'InvalidModel',
        `${join(folder, indexFile)}: expected shard ${file} with tensor ${tensor} beside it, found no such file; copy the whole folder again`,
      );
}

/** A parameter's entry in a header. @throws AnnealError InvalidModel if missing or mismatched */
function checkedEntry(
  path: string,
  header: ReadonlyMap<string, TensorEntry>,
  { name, shape }: ParameterSpec,
): FloatEntry {
  const entry = header.get(name);
  const refuse = (found: string) =>
    new AnnealError(
      'InvalidModel',
      `${path}: expected tensor ${name} [${shape}], found ${found}; check that config.json belongs to these weights`,
    );
  if (!entry) throw refuse(`none of that name among ${header.size}`);
  if (String(entry.shape) !== String(shape)) throw refuse(`shape [${entry.shape}]`);
  return asFloats(path, name, entry);
}

/**
 * Parameters as float32 arrays by name, in the order of `parameterSpecs`; all, or those in `names`.
 * @throws AnnealError InvalidModel naming file and tensor
 */
export async function readParameters(
  folder: string,
  c: DecoderConfig,
  names?: readonly string[],
): Promise<Map<string, Float32Array>> {
  const all = await locateParameters(folder, c);
  const entries = names ? new Map(names.map((name) => [name, all.get(name)!])) : all;
  const read = new Map<string, Float32Array>();
  for (const [file, tensors] of Map.groupBy(entries, ([, entry]) => entry.file))
    for (const [name, data] of await readTensors(join(folder, file), tensors)) read.set(name, data);
  return new Map(Array.from(entries.keys(), (name) => [name, read.get(name)!]));
}

/**
 * Tensors of one file as float32, by name, such as adapters or the optimiser's state.
 * @throws AnnealError InvalidModel if one is missing or has another shape
 */
export async function readNamed(
  path: string,
  specs: readonly ParameterSpec[],
): Promise<Map<string, Float32Array>> {
  const header = await readHeader(path);
  return readTensors(
    path,
    specs.map((spec) => [spec.name, checkedEntry(path, header, spec)]),
  );
}

/** A folder's weights as external data of a graph. @throws AnnealError InvalidModel */
export async function openWeights(folder: string, c: DecoderConfig): Promise<ExternalWeights> {
  const located = await locateParameters(folder, c);
  const files = new Map<string, Uint8Array>();
  for (const file of new Set(Array.from(located.values(), (tensor) => tensor.file)))
    files.set(file, await readWhole(join(folder, file)));
  const parameters = new Map<string, ExternalParameter>();
  for (const [name, tensor] of located) {
    const { dtype, shape, file: location, offset, length } = tensor;
    const bytes = files.get(location)!.subarray(offset, offset + length);
    checkFinite(join(folder, location), name, tensor, bytes);
    const data = { location, offset, length };
    parameters.set(name, { shape, dtype: floatDtypes[dtype], data });
  }
  return { parameters, files };
}
