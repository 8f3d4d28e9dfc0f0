// Saves a model as a Hugging Face folder that transformers can load: float32 weights, a config,
// generation config and card that agree with them, and the source folder's other files. The bytes
// depend only on the source and the weights, so that checkpoints can be compared by hash. The
// trainer saves the optimiser's state.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DecoderConfig } from '../model/config.ts';
import { modelCard } from './model-card.ts';
import { copyModelFile, listModelFiles, readModelText } from './model-files.ts';
import { type Float32Tensor, writeFloat32 } from './safetensors-writer.ts';
import { parseSourceJson, type SourceJson, savedConfig, savedGeneration } from './saved-config.ts';
import { weightsFile } from './stored-tensors.ts';

const configFile = 'config.json';
const generationFile = 'generation_config.json';
const cardFile = 'README.md';

export interface SavedModel {
  /** The model folder that the weights were trained from. */
  source: string;
  /** An existing empty folder. */
  out: string;
  /** The description of the source. */
  decoder: DecoderConfig;
  /** All parameters in the order of `parameterSpecs`. */
  tensors: Iterable<Float32Tensor>;
  /** The contents of config.json, if they differ from the source's. */
  config?: SourceJson;
  /** Hugging Face id of the model in `source`, for the card; by default what the source declares. */
  base?: string;
}

/** @throws AnnealError NonFinite for a NaN or infinite weight, before anything is written */
export async function saveModelFolder({
  source,
  out,
  decoder,
  tensors,
  base,
  config: given,
}: SavedModel): Promise<void> {
  const config = savedConfig(given ?? (await readSourceConfig(source)), decoder);
  await writeFloat32(join(out, weightsFile), tensors);
  const names = await companionFiles(source);
  for (const name of names) await copyModelFile(join(source, name), join(out, name));
  await writeJson(join(out, configFile), config);
  if (!names.includes(generationFile))
    await writeJson(join(out, generationFile), savedGeneration(config));
  const sourceCard = (await readModelText(join(source, cardFile))) ?? '';
  await writeFile(join(out, cardFile), modelCard({ config, sourceCard, base }));
}

/** Not copied: weights in any format and their indexes, training state, and files written here. */
const leftOut = [
  /\.(safetensors|bin|gguf|onnx|onnx_data|pt|pth|ckpt|h5|msgpack|ot|npz)$/,
  /\.(safetensors|bin)\.index\.json$/,
  /^adapter_config\.json$/,
  /^(trainer_state|checkpoint)\.json$/,
  /^(config\.json|README\.md)$/,
];

/** Files to copy, sorted. */
async function companionFiles(folder: string): Promise<string[]> {
  const names = await listModelFiles(folder);
  return names.filter((name) => !leftOut.some((pattern) => pattern.test(name)));
}

/** A folder's config.json, with its numbers as written. */
export async function readSourceConfig(folder: string): Promise<SourceJson> {
  const path = join(folder, configFile);
  return parseSourceJson(path, (await readModelText(path)) ?? '');
}

async function writeJson(path: string, value: SourceJson): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}
