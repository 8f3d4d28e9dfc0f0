// A model folder's weights, checked against the decoder's description: read as float32 arrays for
// training, or as external data of a graph for sampling and scoring.

import { join } from 'node:path';
import { AnnealError } from '../../errors.ts';
import type { DecoderConfig } from '../model/config.ts';
import type { ExternalParameter, ExternalWeights } from '../model/external-weights.ts';
import {
  embeddingsName,
  headName,
  type ParameterSpec,
  parameterSpecs,
} from '../model/parameters.ts';
import {
  asFloats,
  checkFinite,
  type FloatEntry,
  readHeader,
  readTensors,
  readWhole,
  type TensorEntry,
} from './safetensors.ts';
import { indexFile, type StoredTensor, storedTensors, weightsFile } from './stored-tensors.ts';
import { floatDtypes } from './tensor-bytes.ts';

/** A parameter in one of the folder's files. */
type LocatedTensor = StoredTensor & FloatEntry;

/** The tensors of a folder that its model has, and those that it does not read. */
export interface LocatedTensors {
  parameters: Map<string, LocatedTensor>;
  /** Names in the files. */
  unused: string[];
}

/**
 * Where each parameter is.
 * @throws AnnealError InvalidModel naming file and tensor, also for a tensor that the model would
 * need and config.json does not tell of
 */
export async function locateTensors(folder: string, c: DecoderConfig): Promise<LocatedTensors> {
  const stored = await storedTensors(folder);
  if (stored.size === 0) throw noWeights(folder);
  const files = new Set(Array.from(stored.values(), ({ file }) => file));
  const [only] = files;
  const place = join(folder, files.size === 1 ? only! : indexFile);
  const parameters = new Map(
    parameterSpecs(c).map((spec) => {
      const tensor = stored.get(spec.name) ?? tiedTo(c, stored, spec.name);
      const path = tensor ? join(folder, tensor.file) : place;
      return [spec.name, checkedTensor(path, tensor, stored.size, spec)];
    }),
  );
  const used = new Set(Array.from(parameters.values(), ({ storedName }) => storedName));
  const unused = [...stored].filter(([, { storedName }]) => !used.has(storedName));
  for (const [name, tensor] of unused) checkUnused(folder, name, tensor);
  return { parameters, unused: unused.map(([, { storedName }]) => storedName).sort() };
}

/** Where each parameter is. @throws AnnealError InvalidModel as `locateTensors` does */
export async function locateParameters(
  folder: string,
  c: DecoderConfig,
): Promise<Map<string, LocatedTensor>> {
  return (await locateTensors(folder, c)).parameters;
}

/** As in transformers 5, the head of a model whose weights are tied may stand for both. */
function tiedTo(c: DecoderConfig, stored: ReadonlyMap<string, StoredTensor>, name: string) {
  const tied = c.tiedEmbeddings && c.labels === undefined;
  return tied && name === embeddingsName ? stored.get(headName) : undefined;
}

/** Tensors of other tasks' heads, and buffers that are computed; transformers skips them too. */
const skipped = /^(?:lm_head\.weight|score\.weight|v_head\..+)$|(?:^|\.)rotary_emb\.inv_freq$/;

function checkUnused(folder: string, name: string, { file, storedName, shape }: StoredTensor) {
  if (skipped.test(name)) return;
  throw new AnnealError(
    'InvalidModel',
    `${join(folder, file)}: expected only the tensors of the model that config.json describes, found ${storedName} [${shape}], which it would not use; check that config.json belongs to these weights (biases, layers, architecture)`,
  );
}

function noWeights(folder: string): AnnealError {
  return new AnnealError(
    'InvalidModel',
    `expected weights in ${join(folder, weightsFile)} or ${indexFile}, found neither; save weights in another format as safetensors first`,
  );
}

/** A tensor as the parameter. @throws AnnealError InvalidModel if missing or mismatched */
export function checkedTensor<T extends TensorEntry>(
  path: string,
  entry: T | undefined,
  count: number,
  { name, shape }: ParameterSpec,
): T & FloatEntry {
  const refuse = (found: string) =>
    new AnnealError(
      'InvalidModel',
      `${path}: expected tensor ${name} [${shape}], found ${found}; check that config.json belongs to these weights`,
    );
  if (!entry) throw refuse(`none of that name among ${count}`);
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
    specs.map((spec) => [spec.name, checkedTensor(path, header.get(spec.name), header.size, spec)]),
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
