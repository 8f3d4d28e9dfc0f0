// Reads and writes adapters in PEFT's layout: adapter_config.json, and adapter_model.safetensors with
// the matrices under `base_model.model.` + module name. The base model is another folder, which the
// config names.

import { writeFile } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { adapterTargets } from '../../config/schema/model.ts';
import { AnnealError } from '../../errors.ts';
import type { DecoderConfig } from '../model/config.ts';
import { type AdapterShape, adaptedModules, adapterSpecs, matrixNames } from '../model/lora.ts';
import { scoreName } from '../model/parameters.ts';
import {
  type AdapterConfig,
  encodeAdapterConfig,
  type Lora,
  parseAdapterConfig,
  selectedModules,
} from './adapter-config.ts';
import { copyModelFile, isModelFile, listModelFiles, readModelText } from './model-files.ts';
import { type FloatEntry, readHeader, readTensors, type TensorEntry } from './safetensors.ts';
import { type Float32Tensor, writeFloat32 } from './safetensors-writer.ts';
import { plainName } from './stored-tensors.ts';
import { checkedTensor } from './weights.ts';

const adapterConfigFile = 'adapter_config.json';
const adapterWeightsFile = 'adapter_model.safetensors';
const namePrefix = 'base_model.model.';

export interface AdapterFolder {
  folder: string;
  /** Folder of the base model, absolute. */
  base: string;
  /** adapter_config.json */
  config: AdapterConfig;
}

/**
 * Read adapter_config.json; undefined if the folder has none.
 * @throws AnnealError InvalidModel for an unsupported option or a missing base
 */
export async function readAdapterFolder(folder: string): Promise<AdapterFolder | undefined> {
  const file = join(folder, adapterConfigFile);
  const text = await readModelText(file);
  if (text === null) return undefined;
  const config = parseAdapterConfig(file, text);
  return { folder, base: await findBase(file, folder, config.base_model_name_or_path), config };
}

/** The adapters over a base. @throws AnnealError InvalidModel if their files do not tell which */
export async function loraOf(adapter: AdapterFolder, c: DecoderConfig): Promise<Lora> {
  const { r: rank, lora_alpha: alpha, use_rslora } = adapter.config;
  const all = adaptedModules(c, { targets: adapterTargets }).map(({ module }) => module);
  const adapted = selectedModules(adapter.config, all) ?? (await storedModules(adapter, all));
  if (adapted.length === 0)
    throw new AnnealError(
      'InvalidModel',
      `${join(adapter.folder, adapterConfigFile)}: expected target_modules with at least one of ${adapterTargets.join(', ')}, found ${JSON.stringify(adapter.config.target_modules)}; merge the adapter with PEFT and give the merged model`,
    );
  // In a fixed order: PEFT saves a set.
  const targets = adapterTargets.filter((target) =>
    adapted.some((module) => module.endsWith(`.${target}`)),
  );
  const whole = adaptedModules(c, { targets }).length === adapted.length;
  return {
    rank,
    alpha,
    targets,
    ...(!whole && { modules: adapted }),
    ...(use_rslora && { rankStabilized: true }),
  };
}

/**
 * The modules that the weights have matrices for. PEFT finds the same by the regular expression it
 * saved them with; a stranger's is not run here.
 */
async function storedModules({ folder }: AdapterFolder, all: readonly string[]): Promise<string[]> {
  const stored = await storedMatrices(folder);
  return all.filter((module) => stored.has(matrixNames(module).a));
}

/** The base's absolute path; a relative one is tried in the adapter's, then the current folder. */
async function findBase(file: string, folder: string, name: string): Promise<string> {
  const places = isAbsolute(name) ? [name] : [resolve(folder, name), resolve(name)];
  for (const place of places) if (await isModelFile(join(place, 'config.json'))) return place;
  throw new AnnealError(
    'InvalidModel',
    `${file}: expected base_model_name_or_path to be a model folder, found '${name}'; put the base model there or correct the path`,
  );
}

/** A matrix's name in adapter_model.safetensors. */
export const storedName = (name: string) => namePrefix + name;

/** The tensors of adapter_model.safetensors by `adapterSpecs`' names. */
async function storedMatrices(folder: string): Promise<Map<string, NamedEntry>> {
  const file = join(folder, adapterWeightsFile);
  const header = await readHeader(file);
  return new Map(
    Array.from(header, ([stored, entry]) => [
      plainName(stored.replace(namePrefix, '')),
      { ...entry, storedName: stored },
    ]),
  );
}
type NamedEntry = TensorEntry & { storedName: string };

/**
 * Where the matrices are, by `adapterSpecs`' names.
 * @throws AnnealError InvalidModel naming file and tensor, also for one that belongs to no adapter
 */
export async function locateAdapters(
  folder: string,
  c: DecoderConfig,
  lora: AdapterShape,
): Promise<Map<string, FloatEntry>> {
  const file = join(folder, adapterWeightsFile);
  const stored = await storedMatrices(folder);
  const specs = adapterSpecs(c, lora);
  const wanted = new Set(specs.map(({ name }) => name));
  for (const [name, { storedName, shape }] of stored)
    if (!wanted.has(name))
      throw new AnnealError(
        'InvalidModel',
        `${file}: expected only the adapters that ${adapterConfigFile} describes, found ${storedName} [${shape}], which none would use; merge the adapter with PEFT and give the merged model`,
      );
  return new Map(
    specs.map((spec) => [spec.name, checkedTensor(file, stored.get(spec.name), stored.size, spec)]),
  );
}

/** The matrices by `adapterSpecs`' names, as float32. @throws AnnealError InvalidModel */
export async function readAdapters(
  folder: string,
  c: DecoderConfig,
  lora: AdapterShape,
): Promise<Map<string, Float32Array>> {
  return readTensors(join(folder, adapterWeightsFile), await locateAdapters(folder, c, lora));
}

export interface SavedAdapters {
  /** The base's folder; the adapters name it relative to their own. */
  base: string;
  /** An existing empty folder. Renaming it within its parent keeps the path to the base valid. */
  out: string;
  lora: Lora;
  /** All matrices in the order of `adapterSpecs`. */
  tensors: Iterable<Float32Tensor>;
}

/** Files of the base that are copied beside its adapters. */
const tokenizerFiles = /tokenizer|special_tokens|added_tokens|vocab|merges|chat_template/;

/** Write adapters as PEFT does. @throws AnnealError NonFinite, before anything is written */
export async function saveAdapters({ base, out, lora, tensors }: SavedAdapters): Promise<void> {
  const stored = Array.from(
    tensors,
    ([name, shape, data]): Float32Tensor => [storedName(name), shape, data],
  );
  await writeFloat32(join(out, adapterWeightsFile), stored);
  const classifies = stored.some(([name]) => name === storedName(scoreName));
  const path = relative(out, base).replaceAll(sep, '/');
  const config = encodeAdapterConfig(lora, path, classifies);
  await writeFile(join(out, adapterConfigFile), config);
  for (const name of await listModelFiles(base))
    if (tokenizerFiles.test(name)) await copyModelFile(join(base, name), join(out, name));
}
