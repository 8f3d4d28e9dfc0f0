// Saving a model as a Hugging Face folder that transformers loads as it is: what the source folder
// holds beside its weights, the weights in float32, and config, generation config and card that
// agree with them. The bytes depend on the source's and the weights alone, so that checkpoints can
// be compared by hash. An optimiser's state is the trainer's affair.

import { constants } from 'node:fs';
import { copyFile, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readIfThere } from './json.ts';
import { modelCard } from './model-card.ts';
import { type Float32Tensor, writeFloat32 } from './safetensors-writer.ts';
import { parseSourceJson, type SourceJson, savedConfig, savedGeneration } from './saved-config.ts';
import { weightsFile } from './weights.ts';

const configFile = 'config.json';
const generationFile = 'generation_config.json';
const cardFile = 'README.md';

export interface SavedModel {
  /** The model folder that the weights were trained from. */
  source: string;
  /** A folder that is there, and empty. */
  out: string;
  /** Every parameter in the order of `parameterSpecs`. */
  tensors: Iterable<Float32Tensor>;
  /** What config.json says, where that is not what the source's says. */
  config?: SourceJson;
  /** Hugging Face id of the model in `source`, for the card; otherwise as the source says. */
  base?: string;
}

/** @throws AnnealError NonFinite for a weight that is no number; nothing is written then */
export async function saveModelFolder({
  source,
  out,
  tensors,
  base,
  config: given,
}: SavedModel): Promise<void> {
  const config = given ?? (await readSourceConfig(source));
  await writeFloat32(join(out, weightsFile), tensors);
  const names = await companionFiles(source);
  for (const name of names)
    await copyFile(join(source, name), join(out, name), constants.COPYFILE_FICLONE);
  await writeJson(join(out, configFile), savedConfig(config));
  if (!names.includes(generationFile))
    await writeJson(join(out, generationFile), savedGeneration(config));
  const sourceCard = (await readIfThere(join(source, cardFile))) ?? '';
  await writeFile(join(out, cardFile), modelCard({ config, sourceCard, base }));
}

/**
 * Weights in any format and what points to them; what training keeps beside a model; what is
 * written anew.
 */
const leftOut = [
  /\.(safetensors|bin|gguf|onnx|onnx_data|pt|pth|ckpt|h5|msgpack|ot|npz)$/,
  /\.(safetensors|bin)\.index\.json$/,
  /^adapter_config\.json$/,
  /^(trainer_state|checkpoint)\.json$/,
  /^(config\.json|README\.md)$/,
];

/** Files to take over as they are, sorted; links are followed, sub-folders and hidden files left. */
async function companionFiles(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const name of (await readdir(folder)).sort()) {
    if (name.startsWith('.') || leftOut.some((pattern) => pattern.test(name))) continue;
    if ((await stat(join(folder, name))).isFile()) names.push(name);
  }
  return names;
}

/** A folder's config.json, its numbers as they are written. */
export async function readSourceConfig(folder: string): Promise<SourceJson> {
  const path = join(folder, configFile);
  return parseSourceJson(path, await readFile(path, 'utf8'));
}

async function writeJson(path: string, value: SourceJson): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}
