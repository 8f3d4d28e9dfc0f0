// The tiny Qwen2 of fixtures/, with the values that torch and transformers computed for it.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openPolicyFolder } from '../../src/engine/files/policy-folder.ts';
import { openWeights } from '../../src/engine/files/weights.ts';
import { adapterFeeds } from '../../src/engine/inference/adapter-feeds.ts';
import { packBatches } from '../../src/engine/model/packing.ts';
import { rotaryFeeds } from '../../src/engine/model/rope.ts';
import { Session, type TensorData } from '../../src/engine/runtime/session.ts';
import { RolloutEngine } from '../../src/engine/sampling/rollout.ts';
import type { RolloutRequest } from '../../src/engine/sampling/rollout-request.ts';
import { trainedSpecs } from '../../src/engine/training/gradient-graph.ts';
import { scalarInputs, type TrainingOptions, trainingGraph } from '../../src/rl/policy/graph.ts';
import type { StepSettings, TrainSequence } from '../../src/rl/policy/trainer.ts';

export const folder = fileURLToPath(new URL('./fixtures/tiny-qwen2', import.meta.url));
export const engine = { device: 'cpu', threads: 2, shard_prompts: 8 } as const;

interface Expected {
  temperature: number;
  kl: number;
  low: number;
  high: number;
  prompts: number[][];
  completions: number[][];
  rows: { old: number[]; reference: number[]; advantage: number }[];
  logprobs: number[][];
  logits: number[][];
  greedy: number[][];
  likelihood_loss: number;
  clipped_ratio_loss: number;
  adamw: {
    learning_rate: number;
    weight_decay: number;
    betas: [number, number];
    epsilon: number;
    max_grad_norm: number;
    losses: number[];
    grad_norms: number[];
  };
}
export const expected = JSON.parse(readFileSync(`${folder}/expected.json`, 'utf8')) as Expected;

/** The fixture's samples, with equal weight for every token. */
export function trainSequences(): TrainSequence[] {
  const total = expected.completions.flat().length;
  return expected.prompts.map((prompt, i) => {
    const completion = expected.completions[i]!;
    const row = expected.rows[i]!;
    return {
      prompt,
      completion,
      weight: completion.map(() => 1 / total),
      advantage: completion.map(() => row.advantage),
      reward: 0,
      oldLogprobs: row.old,
      referenceLogprobs: row.reference,
    };
  });
}

export function stepSettings(): StepSettings {
  const { adamw } = expected;
  return {
    inverse_temperature: 1 / expected.temperature,
    kl_coefficient: expected.kl,
    ratio_low: expected.low,
    ratio_high: expected.high,
    learning_rate: adamw.learning_rate,
    weight_decay: adamw.weight_decay,
    beta1: adamw.betas[0],
    beta2: adamw.betas[1],
    epsilon: adamw.epsilon,
    max_grad_norm: adamw.max_grad_norm,
  };
}

/** ‖a − b‖ / ‖b‖ */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    norm += b[i]! ** 2;
  }
  return Math.sqrt(difference / norm);
}

/** A folder of fixtures. */
export const fixtureFolder = (name: string) =>
  fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

/** Sequences whose loss is the mean negative log-likelihood of their completions. */
export function likelihoodSequences({
  prompts,
  completions,
}: {
  prompts: number[][];
  completions: number[][];
}): TrainSequence[] {
  const total = completions.flat().length;
  return prompts.map((prompt, i) => {
    const completion = completions[i]!;
    const every = (value: number) => completion.map(() => value);
    return {
      prompt,
      completion,
      weight: every(1 / total),
      advantage: every(1),
      reward: 0,
      oldLogprobs: every(0),
      referenceLogprobs: every(0),
    };
  });
}

/** Rollouts of a policy's folder that do not stop before the last token. */
export async function rollOut(folder: string, request: Partial<RolloutRequest>) {
  const policy = await openPolicyFolder(folder);
  const { base, config, lora } = policy;
  const rollouts = new RolloutEngine(config, await openWeights(base, config), engine, lora);
  try {
    return await rollouts.run({
      prompts: [],
      samplesPerPrompt: 1,
      maxNewTokens: 24,
      temperature: 1,
      topK: null,
      topP: 1,
      minP: 0,
      uniforms: () => () => 0,
      endOf: () => () => undefined,
      adapters: await adapterFeeds(policy),
      ...request,
    });
  } finally {
    await rollouts.close();
  }
}

/**
 * Gradients of the loss over `sequences`, in microbatches, by the names of the trained tensors, and
 * the loss that the graph reports, including KL.
 */
export async function gradientsOf(
  folder: string,
  sequences: readonly TrainSequence[],
  microbatch: number,
  options: TrainingOptions,
  feeds: Readonly<Record<string, TensorData>>,
) {
  const { config: c } = await openPolicyFolder(folder);
  const files = options.lora?.base.files;
  const session = await Session.create(trainingGraph(c, options), {
    ...engine,
    ...(files && { files }),
  });
  const batches = Array.from({ length: Math.ceil(sequences.length / microbatch) }, (_, i) =>
    sequences.slice(i * microbatch, (i + 1) * microbatch),
  );
  const packed = packBatches(batches);
  const rows = (of: (s: TrainSequence) => readonly number[]) => ({
    data: Float32Array.from(sequences.flatMap(of)),
    shape: packed.targets.shape,
  });
  const settings: Record<string, number> = { ...stepSettings() };
  const outputs = await session.run({
    ...packed,
    weight: rows((s) => s.weight),
    advantage: rows((s) => s.advantage),
    reward: rows((s) => s.completion.map(() => s.reward)),
    old_logprobs: rows((s) => s.oldLogprobs),
    reference_logprobs: rows((s) => s.referenceLogprobs),
    ...Object.fromEntries(
      scalarInputs.map((name) => [name, { data: Float32Array.of(settings[name] ?? 1), shape: [] }]),
    ),
    ...rotaryFeeds(c, 64),
    ...feeds,
  });
  await session.release();
  const found = new Map(
    trainedSpecs(c, options).map(({ name }) => [
      name,
      outputs[`grad.${name}`]!.data as Float32Array,
    ]),
  );
  const stats = Array.from(outputs.stats!.data, Number);
  return { found, loss: stats[0]! + expected.kl * stats[3]! };
}
