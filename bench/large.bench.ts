// Memory and time with a model of real size: a 0.5 B-parameter Qwen2 (24 layers of 896, 151,936
// tokens) of random weights, made in a temporary folder as one file of over 2 GiB. It is loaded,
// samples 32 tokens, and takes one LoRA step, each in a process of its own, whose peak is reported.

import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readModelConfig } from '../src/engine/model/config.ts';
import { parameterSpecs } from '../src/engine/model/parameters.ts';
import { writeFloat32 } from '../src/engine/model/safetensors-writer.ts';
import { openWeights } from '../src/engine/model/weights.ts';
import { uniforms } from '../src/engine/sampling/random.ts';
import { RolloutEngine } from '../src/engine/sampling/rollout.ts';
import { PolicyTrainer } from '../src/rl/trainer.ts';
import { report } from './figure.ts';

const engine = { device: 'cpu', threads: 2, shard_prompts: 8 } as const;
const config = {
  architectures: ['Qwen2ForCausalLM'],
  model_type: 'qwen2',
  hidden_size: 896,
  intermediate_size: 4864,
  num_hidden_layers: 24,
  num_attention_heads: 14,
  num_key_value_heads: 2,
  vocab_size: 151936,
  max_position_embeddings: 4096,
  rms_norm_eps: 1e-6,
  rope_theta: 1000000,
  // Untied, so that the file is over 2 GiB.
  tie_word_embeddings: false,
};

async function makeModel(folder: string): Promise<void> {
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  const random = uniforms('large');
  const tensors = parameterSpecs(await readModelConfig(folder)).map(({ name, shape }) => {
    const size = shape.reduce((n, d) => n * d, 1);
    const value = () => (name.includes('norm') ? 1 : (2 * random() - 1) * 0.03);
    return [name, shape, () => Float32Array.from({ length: size }, value)] as const;
  });
  await writeFloat32(join(folder, 'model.safetensors'), tensors);
}

const ids = (stream: string, length: number) => {
  const random = uniforms('ids', stream);
  return Array.from({ length }, () => Math.floor(random() * config.vocab_size));
};

/** What a process of its own does with the model. */
const stages = {
  sample: async (folder: string) => {
    const c = await readModelConfig(folder);
    const rollouts = new RolloutEngine(c, await openWeights(folder, c), engine);
    const [sample] = await rollouts.run({
      prompts: [ids('prompt', 16)],
      samplesPerPrompt: 1,
      maxNewTokens: 32,
      temperature: 1,
      topK: null,
      topP: 1,
      minP: 0,
      uniforms: () => uniforms('draw'),
      endOf: () => undefined,
    });
    if (sample!.tokens.length !== 32) throw new Error('expected 32 tokens');
  },
  'LoRA step': async (folder: string) => {
    const lora = { rank: 16, alpha: 32, targets: ['q_proj', 'v_proj', 'down_proj'] as const };
    const trainer = await PolicyTrainer.load(folder, engine, { lora, recompute: true });
    const completion = ids('completion', 32);
    const sequence = {
      prompt: ids('prompt', 16),
      completion,
      weight: completion.map(() => 1 / 64),
      advantage: completion.map(() => 1),
      reward: 1,
      oldLogprobs: completion.map(() => -12),
      referenceLogprobs: completion.map(() => -12),
    };
    const settings = {
      ...{ inverse_temperature: 1, kl_coefficient: 0.1, ratio_low: 0.8, ratio_high: 1.28 },
      ...{ learning_rate: 1e-4, weight_decay: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
      max_grad_norm: 1,
    };
    const stats = await trainer.train([sequence, sequence], 2, 'clipped_ratio', settings);
    if (!(stats.grad_norm > 0)) throw new Error('expected a gradient');
  },
} as const;

const [stage, given] = process.argv.slice(2);
if (stage !== undefined && stage in stages) {
  const start = performance.now();
  await stages[stage as keyof typeof stages](given!);
  const seconds = (performance.now() - start) / 1000;
  console.log(JSON.stringify({ seconds, bytes: process.resourceUsage().maxRSS * 1024 }));
} else {
  const folder = await mkdtemp(join(tmpdir(), 'anneal-large-'));
  try {
    await makeModel(folder);
    const { size } = await stat(join(folder, 'model.safetensors'));
    report('model.safetensors', 'GiB', [size / 2 ** 30]);
    for (const name of Object.keys(stages)) {
      const file = fileURLToPath(import.meta.url);
      const { stdout, stderr } = spawnSync(process.execPath, [file, name, folder], {
        encoding: 'utf8',
      });
      if (!stdout) throw new Error(`${name}: ${stderr}`);
      const { seconds, bytes } = JSON.parse(stdout) as { seconds: number; bytes: number };
      report(`${name}, 0.5 B parameters, peak memory`, 'GiB', [bytes / 2 ** 30]);
      report(`${name}, 0.5 B parameters, loading included`, 's', [seconds]);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}
