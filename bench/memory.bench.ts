// Peak memory of a training step, in bytes per parameter and per token of a microbatch: the
// difference between processes that train models of two sizes on batches of two sizes.

import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { readModelConfig } from '../src/engine/files/model-config.ts';
import { trainingBytesPerToken } from '../src/engine/model/memory.ts';
import { parameterSpecs } from '../src/engine/model/parameters.ts';
import { PolicyTrainer } from '../src/rl/policy/trainer.ts';
import { report } from './figure.ts';
import { randomModel } from './random-model.ts';
import { engine, randomSequences, stepSettings } from './training-step.ts';

const length = 128;

const sizes = {
  small: { hidden_size: 256, intermediate_size: 704, num_hidden_layers: 4 },
  large: { hidden_size: 512, intermediate_size: 1408, num_hidden_layers: 20 },
};

async function makeModel(
  size: keyof typeof sizes,
): Promise<{ folder: string; parameters: number }> {
  const num_attention_heads = sizes[size].hidden_size / 64;
  const folder = await randomModel({ ...sizes[size], num_attention_heads });
  const specs = parameterSpecs(await readModelConfig(folder));
  const count = (shape: readonly number[]) => shape.reduce((n, d) => n * d, 1);
  return { folder, parameters: specs.reduce((sum, { shape }) => sum + count(shape), 0) };
}

/** Two steps of one microbatch of `batch` sequences, in this process. */
async function train(folder: string, batch: number, recompute: boolean): Promise<void> {
  const trainer = await PolicyTrainer.load(folder, engine, { recompute });
  const sequences = randomSequences(trainer.config, batch, 1, length - 1);
  for (let i = 0; i < 2; i++) await trainer.train(sequences, batch, 'clipped_ratio', stepSettings);
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
    report('train step, memory per parameter', 'bytes', [perParameter]);
    for (const [name, { folder }] of Object.entries({ small, large })) {
      const c = await readModelConfig(folder);
      for (const again of [false, true]) {
        // Enough sequences that activations are most of the peak.
        const few = again ? 32 : 4;
        const [low, high] = [few, 4 * few].map((n) => peakOf(folder, n, again)) as [number, number];
        const label = `${name} model${again ? ', recomputing' : ''}, memory per token`;
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
