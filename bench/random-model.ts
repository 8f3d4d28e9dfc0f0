// A Qwen2 with random weights in a temporary folder, for benchmarks. By default it has 3.2 M
// parameters and a vocabulary of 1,024 tokens.

import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readModelConfig } from '../src/engine/files/model-config.ts';
import { writeFloat32 } from '../src/engine/files/safetensors-writer.ts';
import { parameterSpecs } from '../src/engine/model/parameters.ts';
import { uniforms } from '../src/engine/sampling/random.ts';

const config = {
  architectures: ['Qwen2ForCausalLM'],
  model_type: 'qwen2',
  hidden_size: 256,
  intermediate_size: 704,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 1024,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  tie_word_embeddings: true,
};

/**
 * Write the model, with `changes` to its config for another size. Only one tensor is in memory at a
 * time. The model never ends a sequence.
 * @returns its folder
 */
export async function randomModel(changes: Partial<typeof config> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'anneal-bench-'));
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, ...changes }));
  const random = uniforms('bench');
  const tensors = parameterSpecs(await readModelConfig(folder)).map(({ name, shape }) => {
    const size = shape.reduce((n, d) => n * d, 1);
    const value = () => (name.includes('norm') ? 1 : (2 * random() - 1) * 0.05);
    return [name, shape, () => Float32Array.from({ length: size }, value)] as const;
  });
  await writeFloat32(join(folder, 'model.safetensors'), tensors);
  return folder;
}
