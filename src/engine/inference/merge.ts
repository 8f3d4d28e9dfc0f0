// Merges adapters into their base, for programs that do not load adapters.

import { AnnealError } from '../../errors.ts';
import { readAdapters } from '../files/adapter-folder.ts';
import { openPolicyFolder } from '../files/policy-folder.ts';
import { saveModelFolder } from '../files/save-folder.ts';
import { readParameters } from '../files/weights.ts';
import { adaptedModules, matrixNames } from '../model/lora.ts';
import { parameterSpecs, scoreName } from '../model/parameters.ts';

/**
 * Write an adapter folder merged into its base to `out`, an empty folder, in float32:
 * W + alpha / rank · B·A in every adapted projection, and a classifier's trained head.
 * @throws AnnealError InvalidModel for a folder without adapters
 */
export async function mergeAdapters(folder: string, out: string): Promise<void> {
  const { base, config, lora } = await openPolicyFolder(folder);
  if (!lora)
    throw new AnnealError(
      'InvalidModel',
      `expected a folder of adapters, with adapter_config.json in it, found '${folder}'`,
    );
  const adapters = await readAdapters(folder, config, lora);
  const parameters = await readParameters(base, config);
  for (const { module, input } of adaptedModules(config, lora)) {
    const { a, b } = matrixNames(module);
    const weight = parameters.get(`${module}.weight`)!;
    addProduct(weight, adapters.get(b)!, adapters.get(a)!, input, lora.alpha / lora.rank);
  }
  const head = adapters.get(scoreName);
  if (head) parameters.set(scoreName, head);
  const tensors = parameterSpecs(config).map(
    ({ name, shape }) => [name, shape, parameters.get(name)!] as const,
  );
  await saveModelFolder({ source: base, out, tensors });
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
