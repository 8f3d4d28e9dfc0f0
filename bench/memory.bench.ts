// Peak memory of a training step: bytes a parameter and bytes a token of a microbatch, by the
// difference between processes that train models of two sizes on batches of two sizes.

import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readModelConfig } from '../src/engine/model/config.ts';
import { trainingBytesPerToken } from '../src/engine/model/memory.ts';
import { parameterSpecs } from '../src/engine/model/parameters.ts';
import { writeFloat32 } from '../src/engine/model/safetensors-writer.ts';
import { uniforms } from '../src/engine/sampling/random.ts';
import { PolicyTrainer, type TrainSequence } from '../src/rl/trainer.ts';
import { report } from './figure.ts';

const engine = { device: 'cpu', threads: 2, shard_prompts: 8 } as const;
const length = 128;

const sizes = {
  small: { hidden_size: 256, intermediate_size: 704, num_hidden_layers: 4 },
  large: { hidden_size: 512, intermediate_size: 1408, num_hidden_layers: 20 },
};

async function makeModel(
  size: keyof typeof sizes,
): Promise<{ folder: string; parameters: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'anneal-memory-'));
  const config = {
    architectures: ['Qwen2ForCausalLM'],
    model_type: 'qwen2',
    ...sizes[size],
    num_attention_heads: sizes[size].hidden_size / 64,
    num_key_value_heads: 2,
    vocab_size: 1024,
    tie_word_embeddings: true,
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  const specs = parameterSpecs(await readModelConfig(folder));
  const count = (shape: readonly number[]) => shape.reduce((n, d) => n * d, 1);
  const random = uniforms('memory');
  await writeFloat32(
    join(folder, 'model.safetensors'),
    specs.map(({ name, shape }) => {
      const value = () => (name.includes('norm') ? 1 : (2 * random() - 1) * 0.05);
      return [name, shape, () => Float32Array.from({ length: count(shape) }, value)] as const;
    }),
  );
  return { folder, parameters: specs.reduce((sum, { shape }) => sum + count(shape), 0) };
}

/** Two steps of one microbatch of `batch` sequences, in this process. */
async function train(folder: string, batch: number, recompute: boolean): Promise<void> {
  const trainer = await PolicyTrainer.load(folder, engine, { recompute });
  const random = uniforms('sequences');
  const sequences = Array.from({ length: batch }, (): TrainSequence => {
    const tokens = Array.from({ length }, () => Math.floor(random() * 1024));
    const completion = tokens.slice(1);
    const every = (value: number) => completion.map(() => value);
    return {
      ...{ prompt: tokens.slice(0, 1), completion, weight: every(1e-4), advantage: every(1) },
      ...{ reward: 0, oldLogprobs: every(-7), referenceLogprobs: every(-7) },
    };
  });
  const settings = {
    ...{ inverse_temperature: 1, kl_coefficient: 0.1, ratio_low: 0.8, ratio_high: 1.28 },
    ...{ learning_rate: 1e-5, weight_decay: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    max_grad_norm: 1,
  };
  for (let i = 0; i < 2; i++) await trainer.train(sequences, batch, 'clipped_ratio', settings);
}

/** Peak memory in bytes of a process that trains. */
function peakOf(folder: string, batch: number, recompute: boolean): number {
  const file = fileURLToPath(import.meta.url);
  const args = [file, 'train', folder, String(batch), String(recompute)];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (!stdout) throw new Error(stderr);
  return Number(stdout);
}

const [stage, given, batch, recompute] = process.argv.slice(2);
if (stage === 'train') {
  await train(given!, Number(batch), recompute === 'true');
  console.log(process.resourceUsage().maxRSS * 1024);
} else {
  const models = [await makeModel('small'), await makeModel('large')] as const;
  try {
    const [small, large] = models;
    const peaks = models.map(({ folder }) => peakOf(folder, 1, false)) as [number, number];
    const perParameter = (peaks[1] - peaks[0]) / (large.parameters - small.parameters);
    report('train step, memory a parameter', 'bytes', [perParameter]);
    for (const [name, { folder }] of Object.entries({ small, large })) {
      const c = await readModelConfig(folder);
      for (const again of [false, true]) {
        // So many that activations are most of the peak.
        const few = again ? 32 : 4;
        const [low, high] = [few, 4 * few].map((n) => peakOf(folder, n, again)) as [number, number];
        const label = `${name} model${again ? ', recomputing' : ''}, memory a token`;
        report(`train step, ${label}`, 'bytes', [(high - low) / (3 * few * length)]);
        report(`train step, ${label}, as estimated`, 'bytes', [
          trainingBytesPerToken(c, length, again),
        ]);
      }
    }
  } finally {
    for (const { folder } of models) await rm(folder, { recursive: true });
  }
}
