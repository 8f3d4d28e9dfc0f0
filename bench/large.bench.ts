// Memory and time with a model of realistic size: a 0.5 B-parameter Qwen2 (24 layers of 896,
// 151,936 tokens) with random weights, written to a temporary folder as one file of over 2 GiB.
// Loading and sampling 32 tokens, and one LoRA step, each run in a separate process, whose peak is
// reported.

import { spawnSync } from 'node:child_process';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readModelConfig } from '../src/engine/files/model-config.ts';
import { openWeights } from '../src/engine/files/weights.ts';
import { uniforms } from '../src/engine/sampling/random.ts';
import { RolloutEngine } from '../src/engine/sampling/rollout.ts';
import { PolicyTrainer } from '../src/rl/policy/trainer.ts';
import { report } from './figure.ts';
import { randomModel } from './random-model.ts';
import { engine, randomSequences, randomTokens, stepSettings } from './training-step.ts';

const config = {
  hidden_size: 896,
  intermediate_size: 4864,
  num_hidden_layers: 24,
  num_attention_heads: 14,
  num_key_value_heads: 2,
  vocab_size: 151936,
  max_position_embeddings: 4096,
  rope_theta: 1000000,
  // Untied, so that the file is over 2 GiB.
  tie_word_embeddings: false,
};

/** The work of each separate process. */
const stages = {
  sample: async (folder: string) => {
    const c = await readModelConfig(folder);
    const rollouts = new RolloutEngine(c, await openWeights(folder, c), engine);
    const [sample] = await rollouts.run({
      prompts: randomTokens(c, 1, 16),
      samplesPerPrompt: 1,
      maxNewTokens: 32,
      temperature: 1,
      topK: null,
      topP: 1,
      minP: 0,
      uniforms: () => uniforms('draw'),
      endOf: () => () => undefined,
    });
    if (sample!.tokens.length !== 32) throw new Error('expected 32 tokens');
  },
  'LoRA step': async (folder: string) => {
    const lora = { rank: 16, alpha: 32, targets: ['q_proj', 'v_proj', 'down_proj'] as const };
    const trainer = await PolicyTrainer.load(folder, engine, { lora, recompute: true });
    const sequences = randomSequences(trainer.config, 2, 16, 32);
    const stats = await trainer.train(sequences, 2, 'clipped_ratio', stepSettings);
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
  const folder = await randomModel(config);
  try {
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
