// Sampling and training speed of the engine on a 3.2 M-parameter Qwen2, compared with the machine's
// limits (limits.ts) and, with ANNEAL_PYTHON, with torch and transformers (peer.ts).

import { rm } from 'node:fs/promises';
import { readModelConfig } from '../src/engine/files/model-config.ts';
import { openWeights } from '../src/engine/files/weights.ts';
import type { DecoderConfig } from '../src/engine/model/config.ts';
import { uniforms } from '../src/engine/sampling/random.ts';
import { RolloutEngine } from '../src/engine/sampling/rollout.ts';
import type { RolloutRequest } from '../src/engine/sampling/rollout-request.ts';
import { PolicyTrainer } from '../src/rl/policy/trainer.ts';
import { compare, throughput } from './figure.ts';
import { bareDecoding, bareProduct, flopsPerToken } from './limits.ts';
import { Peer } from './peer.ts';
import { randomModel } from './random-model.ts';
import { engine, randomSequences, randomTokens, stepSettings } from './training-step.ts';

const rounds = 7;
const [promptLength, completionLength] = [32, 128];

async function rolloutRound(c: DecoderConfig, folder: string, prompts: number, samples: number) {
  const rollouts = new RolloutEngine(c, await openWeights(folder, c), engine);
  const request: RolloutRequest = {
    prompts: randomTokens(c, prompts, promptLength),
    samplesPerPrompt: samples,
    maxNewTokens: completionLength,
    temperature: 1,
    topK: null,
    topP: 1,
    minP: 0,
    uniforms: (prompt, sample) => uniforms('draw', prompt, sample),
    endOf: () => () => undefined,
  };
  return { run: () => rollouts.run(request), close: () => rollouts.close() };
}

/** Tokens per second of one round of the peer. */
async function rateOf(peer: Peer, request: object): Promise<number> {
  const { tokens, seconds } = await peer.ask<{ tokens: number; seconds: number }>(request);
  return tokens / seconds;
}

/** `amount`, once the work is done. */
async function after(work: Promise<unknown>, amount: number): Promise<number> {
  await work;
  return amount;
}

/** Our rounds, the limit's and the peer's, alternating. */
async function benchRollout(c: DecoderConfig, folder: string, peer: Peer | undefined, P: number) {
  const batch = P * 8;
  const tokens = batch * completionLength;
  const ours = await rolloutRound(c, folder, P, 8);
  const limit = await bareDecoding(c, batch, completionLength);
  await compare(`rollout, batch ${batch}, 128 tokens`, 'tokens/s', rounds, {
    anneal: () => after(ours.run(), tokens),
    'products alone': () => after(limit.run(), tokens),
    ...(peer && { 'transformers generate': { rate: () => rateOf(peer, { rollout: batch }) } }),
  });
  await ours.close();
  await limit.close();
}

async function benchTraining(
  c: DecoderConfig,
  folder: string,
  peer: Peer | undefined,
  gflops: number,
  batch: number,
) {
  const [prompt, completion] = [1, 127];
  const trainer = await PolicyTrainer.load(folder, engine);
  const sequences = randomSequences(c, batch, prompt, completion);
  const tokens = batch * (prompt + completion);
  const attention = 2 * 2 * c.layers * c.heads * c.headDim * (prompt + completion);
  // The backward pass costs twice the forward pass.
  const limit = (gflops * 1e9) / (3 * (flopsPerToken(c) + attention));
  await compare(`train step, ${batch} x ${prompt + completion}`, 'tokens/s', rounds, {
    anneal: () => after(trainer.train(sequences, 16, 'clipped_ratio', stepSettings), tokens),
    'products alone': { rate: async () => limit },
    ...(peer && {
      'torch eager': { rate: () => rateOf(peer, { train: batch }) },
      'torch bfloat16 autocast': { rate: () => rateOf(peer, { train: batch, autocast: true }) },
    }),
  });
  await trainer.close();
}

const folder = await randomModel();
const peer = await Peer.start('peers.py', folder);
try {
  const c = await readModelConfig(folder);
  const product = await bareProduct();
  const { median } = await throughput('bare MatMul', 'GFLOP/s', rounds, product.run);
  await product.close();
  for (const prompts of [1, 8, 32]) await benchRollout(c, folder, peer, prompts);
  for (const batch of [16, 64]) await benchTraining(c, folder, peer, median, batch);
} finally {
  peer?.close();
  await rm(folder, { recursive: true });
}
