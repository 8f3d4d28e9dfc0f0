// Merges adapters into their base, for programs that do not load adapters.

import { AnnealError } from '../../errors.ts';
import { scaleOf } from '../files/adapter-config.ts';
import { readAdapters } from '../files/adapter-folder.ts';
import { openPolicyFolder } from '../files/policy-folder.ts';
import { saveModelFolder } from '../files/save-folder.ts';
import { readParameters } from '../files/weights.ts';
import type { DecoderConfig } from '../model/config.ts';
import { adaptedModules, matrixNames } from '../model/lora.ts';
import { parameterSpecs, scoreName } from '../model/parameters.ts';

/** A policy's weights with its adapters merged in, each read when its turn comes. */
export interface MergedModel {
  config: DecoderConfig;
  /** Folder with the model's other files: tokenizer, configuration. */
  source: string;
  /** All parameters, in the order of `parameterSpecs`. */
  tensors: (readonly [string, readonly number[], () => Promise<Float32Array>])[];
}

/**
 * A model folder, or adapters with their base: W + scale · B·A in every adapted projection,
 * and a classifier's trained head. @throws AnnealError InvalidModel
 */
export async function openMerged(folder: string): Promise<MergedModel> {
  const { base, config, lora } = await openPolicyFolder(folder);
  const adapters = lora
    ? await readAdapters(folder, config, lora)
    : new Map<string, Float32Array>();
  const modules = new Map(
    (lora ? adaptedModules(config, lora) : []).map((it) => [`${it.module}.weight`, it]),
  );
  const read = async (name: string) => {
    const head = name === scoreName && adapters.get(scoreName);
    if (head) return head;
    const weight = (await readParameters(base, config, [name])).get(name)!;
    const adapted = modules.get(name);
    if (lora && adapted) {
      const { a, b } = matrixNames(adapted.module);
      addProduct(weight, adapters.get(b)!, adapters.get(a)!, adapted.input, scaleOf(lora));
    }
    return weight;
  };
  const tensors = parameterSpecs(config).map(
    ({ name, shape }) => [name, shape, () => read(name)] as const,
  );
  return { config, source: base, tensors };
}

/**
 * Write an adapter folder merged into its base to `out`, an empty folder, in float32.
 * @throws AnnealError InvalidModel for a folder without adapters
 */
export async function mergeAdapters(folder: string, out: string): Promise<void> {
  const { lora } = await openPolicyFolder(folder);
  if (!lora)
    throw new AnnealError(
      'InvalidModel',
      `expected a folder of adapters, with adapter_config.json in it, found '${folder}'`,
    );
  const { config, source, tensors } = await openMerged(folder);
  await saveModelFolder({ source, out, decoder: config, tensors });
}

/** weight [out, in] += scale · b [out, r] · a [r, in], the products summed in float64. */
function addProduct(
  weight: Float32Array,
  b: Float32Array,
  a: Float32Array,
  input: number,
  scale: number,
): void {
  const rank = a.length / input;
  const row = new Float64Array(input);
  for (let o = 0; o < b.length / rank; o++) {
    row.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = scale * b[o * rank + r]!;
      for (let i = 0; i < input; i++) row[i] = row[i]! + factor * a[r * input + i]!;
    }
    for (let i = 0; i < input; i++) weight[o * input + i] = weight[o * input + i]! + row[i]!;
  }
}
