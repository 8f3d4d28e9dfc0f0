// Sampling and training speed of the engine on a 3.2 M-parameter Qwen2, beside what the machine
// can do at most (a bare MatMul of the training shapes).

import { rm } from 'node:fs/promises';
import { Builder } from '../src/engine/graph/operators.ts';
import { readModelConfig } from '../src/engine/model/config.ts';
import { openWeights } from '../src/engine/model/weights.ts';
import { Session } from '../src/engine/runtime/session.ts';
import { uniforms } from '../src/engine/sampling/random.ts';
import { RolloutEngine, type RolloutRequest } from '../src/engine/sampling/rollout.ts';
import { PolicyTrainer, type StepSettings, type TrainSequence } from '../src/rl/trainer.ts';
import { throughput } from './figure.ts';
import { randomModel } from './random-model.ts';

const engine = { device: 'cpu', threads: 2, shard_prompts: 8 } as const;
const rounds = 5;

async function benchRollout(folder: string, prompts: number, samplesPerPrompt: number) {
  const c = await readModelConfig(folder);
  const rollouts = new RolloutEngine(c, await openWeights(folder, c), engine);
  const random = uniforms('prompts');
  const batch = prompts * samplesPerPrompt;
  const request: RolloutRequest = {
    prompts: Array.from({ length: prompts }, () =>
      Array.from({ length: 32 }, () => Math.floor(random() * c.vocabSize)),
    ),
    samplesPerPrompt,
    maxNewTokens: 128,
    temperature: 1,
    topK: null,
    topP: 1,
    minP: 0,
    uniforms: (prompt, sample) => uniforms('draw', prompt, sample),
    endOf: () => undefined,
  };
  await throughput(`rollout, batch ${batch}, 128 tokens`, 'tokens/s', rounds, async () => {
    await rollouts.run(request);
    return batch * request.maxNewTokens;
  });
  await rollouts.close();
}

async function benchTraining(folder: string, batch: number, prompt: number, completion: number) {
  const trainer = await PolicyTrainer.load(folder, engine);
  const random = uniforms('sequences');
  const ids = (length: number) => Array.from({ length }, () => Math.floor(random() * 1024));
  const sequences = Array.from({ length: batch }, (): TrainSequence => {
    const tokens = ids(completion);
    return {
      prompt: ids(prompt),
      completion: tokens,
      weight: tokens.map(() => 1 / (batch * completion)),
      advantage: tokens.map(() => random() - 0.5),
      reward: 0,
      oldLogprobs: tokens.map(() => -7),
      referenceLogprobs: tokens.map(() => -7),
    };
  });
  const settings: StepSettings = {
    inverse_temperature: 1,
    kl_coefficient: 0.1,
    ratio_low: 0.8,
    ratio_high: 1.28,
    learning_rate: 1e-5,
    weight_decay: 0,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    max_grad_norm: 1,
  };
  const name = `train step, ${batch} x ${prompt + completion}`;
  await throughput(name, 'tokens/s', rounds, async () => {
    await trainer.train(sequences, 16, 'clipped_ratio', settings);
    return batch * (prompt + completion);
  });
  await trainer.close();
}

/** float32 products of [2048, 256] × [256, 704], the limit that everything else is under. */
async function benchMatMul() {
  const g = new Builder();
  const [m, k, n] = [2048, 256, 704];
  const product = g.matmul(g.input('a', [m, k]), g.input('b', [k, n]));
  const session = await Session.create(g.toModel([g.output('sum', g.sumAll(product))]), engine);
  const random = uniforms('matmul');
  const feeds = {
    a: { data: Float32Array.from({ length: m * k }, random), shape: [m, k] },
    b: { data: Float32Array.from({ length: k * n }, random), shape: [k, n] },
  };
  await throughput('bare MatMul', 'GFLOP/s', rounds, async () => {
    for (let i = 0; i < 20; i++) await session.run(feeds);
    return (20 * 2 * m * k * n) / 1e9;
  });
}

const folder = await randomModel();
try {
  await benchMatMul();
  for (const [prompts, samples] of [
    [1, 8],
    [8, 8],
    [32, 8],
  ] as const)
    await benchRollout(folder, prompts, samples);
  await benchTraining(folder, 16, 16, 112);
  await benchTraining(folder, 64, 32, 96);
} finally {
  await rm(folder, { recursive: true });
}
