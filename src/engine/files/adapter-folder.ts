// Reads and writes adapters in PEFT's layout: adapter_config.json, and adapter_model.safetensors with
// the matrices under `base_model.model.` + module name. The base model is another folder, which the
// config names.

import { writeFile } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { adapterTargets } from '../../config/schema/model.ts';
import { AnnealError } from '../../errors.ts';
import type { DecoderConfig } from '../model/config.ts';
import { type AdapterShape, adapterSpecs } from '../model/lora.ts';
import { scoreName } from '../model/parameters.ts';
import { parseJsonAs } from './json.ts';
import { copyModelFile, isModelFile, listModelFiles, readModelText } from './model-files.ts';
import { type Float32Tensor, writeFloat32 } from './safetensors-writer.ts';
import { readNamed } from './weights.ts';

const adapterConfigFile = 'adapter_config.json';
const adapterWeightsFile = 'adapter_model.safetensors';
const namePrefix = 'base_model.model.';

/** Low-rank adapters, scaled by alpha / rank. */
export interface Lora extends AdapterShape {
  alpha: number;
}

/** Options of PEFT that change what an adapter computes, with the only values supported. */
const supported = {
  bias: 'none',
  use_dora: false,
  use_rslora: false,
  use_qalora: false,
  lora_bias: false,
  fan_in_fan_out: false,
  rank_pattern: {},
  alpha_pattern: {},
  layers_to_transform: null,
  layers_pattern: null,
  layer_replication: null,
  exclude_modules: null,
  target_parameters: null,
  trainable_token_indices: null,
} as const;

const fileSchema = z.looseObject({
  peft_type: z.literal('LORA'),
  r: z.int().positive().max(65536),
  lora_alpha: z.number().positive(),
  target_modules: z.array(z.enum(adapterTargets)).min(1),
  base_model_name_or_path: z.string().min(1),
  /** A classifier's head is saved in full; these are PEFT's two names for it. */
  modules_to_save: z.array(z.enum(['classifier', 'score'])).nullish(),
});

export interface AdapterFolder {
  lora: Lora;
  /** Folder of the base model, absolute. */
  base: string;
}

/**
 * Read adapter_config.json; undefined if the folder has none.
 * @throws AnnealError InvalidModel for an unsupported option or a missing base
 */
export async function readAdapterFolder(folder: string): Promise<AdapterFolder | undefined> {
  const file = join(folder, adapterConfigFile);
  const text = await readModelText(file);
  if (text === null) return undefined;
  const config = parseJsonAs(file, text, fileSchema);
  for (const [key, value] of Object.entries(supported)) {
    const found = config[key] ?? value;
    if (JSON.stringify(found) !== JSON.stringify(value))
      throw new AnnealError(
        'InvalidModel',
        `${file}: expected ${key} ${JSON.stringify(value)}, found ${JSON.stringify(found)}; merge the adapter with PEFT and give the merged model`,
      );
  }
  const { r, lora_alpha, target_modules, base_model_name_or_path } = config;
  // In a fixed order: PEFT saves a set.
  const targets = adapterTargets.filter((target) => target_modules.includes(target));
  return {
    lora: { rank: r, alpha: lora_alpha, targets },
    base: await findBase(file, folder, base_model_name_or_path),
  };
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

/** The config as PEFT writes it; `base` becomes base_model_name_or_path. */
function encodeAdapterConfig(
  { rank, alpha, targets }: Lora,
  base: string,
  classifies: boolean,
): string {
  const config = {
    ...supported,
    base_model_name_or_path: base,
    inference_mode: true,
    lora_alpha: alpha,
    lora_dropout: 0,
    peft_type: 'LORA',
    r: rank,
    target_modules: targets,
    modules_to_save: classifies ? ['score'] : null,
    task_type: classifies ? 'SEQ_CLS' : 'CAUSAL_LM',
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** A matrix's name in adapter_model.safetensors. */
export const storedName = (name: string) => namePrefix + name;

/**
 * The matrices by `adapterSpecs`' names, as float32.
 * @throws AnnealError InvalidModel naming file and tensor
 */
export async function readAdapters(
  folder: string,
  c: DecoderConfig,
  lora: AdapterShape,
): Promise<Map<string, Float32Array>> {
  const specs = adapterSpecs(c, lora);
  const stored = specs.map(({ name, shape }) => ({ name: storedName(name), shape }));
  const tensors = await readNamed(join(folder, adapterWeightsFile), stored);
  return new Map(specs.map(({ name }) => [name, tensors.get(storedName(name))!]));
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
