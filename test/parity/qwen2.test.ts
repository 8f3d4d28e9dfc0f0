// The engine against transformers and torch, on the fixtures of make_fixtures.py: forward pass,
// greedy decoding through the rollout graph, every gradient, ten steps of AdamW.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readModelConfig } from '../../src/engine/model/config.ts';
import { parameterSpecs } from '../../src/engine/model/parameters.ts';
import { readFloat32 } from '../../src/engine/model/safetensors.ts';
import { openWeights, readParameters } from '../../src/engine/model/weights.ts';
import { Session } from '../../src/engine/runtime/session.ts';
import { rolloutGraph } from '../../src/engine/sampling/rollout-graph.ts';
import type { ObjectiveKind } from '../../src/rl/objective.ts';
import { packPerToken, packPrompts, packSequences, sequenceLengths } from '../../src/rl/packing.ts';
import { ReferencePolicy } from '../../src/rl/reference.ts';
import { PolicyTrainer } from '../../src/rl/trainer.ts';
import { gradientGraph, scalarInputs } from '../../src/rl/training-graph.ts';
import {
  engine,
  expected,
  folder,
  largestDifference,
  relativeError,
  stepSettings,
  trainSequences,
} from './fixture.ts';
import { tolerances } from './tolerances.ts';

describe('log-probabilities', () => {
  it('of completions behind prompts of different lengths', async () => {
    const policy = await ReferencePolicy.open(folder, engine);
    const found = await policy.logprobs(trainSequences(), 4, expected.temperature);
    found.forEach((row, i) => {
      expect(largestDifference(row, expected.logprobs[i]!)).toBeLessThan(tolerances.logprobs);
    });
  });
});

describe('the rollout graph', () => {
  const rollout = async (chunk: number, greedy: boolean, samplesPerPrompt: number) => {
    const c = await readModelConfig(folder);
    c.eosTokenIds = []; // decode on, whatever comes
    const weights = await openWeights(folder, c);
    const { prompts } = expected;
    const promptLength = 8;
    const N = 24;
    const shape = { prompts: prompts.length, samplesPerPrompt, promptLength, maxNewTokens: N };
    const session = await Session.create(rolloutGraph(c, weights, { ...shape, chunk, greedy }), {
      ...engine,
      files: weights.files,
    });
    const B = prompts.length * samplesPerPrompt;
    const uniforms = Float32Array.from({ length: N * B }, (_, i) => ((i * 7919) % 1000) / 1000);
    return session.run({
      ...packPrompts(prompts, promptLength),
      uniforms: { data: uniforms, shape: [N, B, 1] },
      inverse_temperature: { data: Float32Array.of(1 / expected.temperature), shape: [] },
    });
  };

  it.each([24, 8, 5])('decodes greedily as transformers does, in chunks of %i', async (chunk) => {
    const { completion } = await rollout(chunk, true, 2);
    const rows = Array.from(completion!.data, Number);
    expected.greedy.forEach((tokens, p) => {
      for (const sample of [0, 1]) {
        const start = (2 * p + sample) * 24;
        expect(rows.slice(start, start + 24)).toEqual(tokens);
      }
    });
  });

  it('reports the log-probabilities of what it drew', async () => {
    const { completion, logprobs } = await rollout(8, false, 3);
    const tokens = Array.from(completion!.data, Number);
    const drawn = expected.prompts.flatMap((prompt, p) =>
      [0, 1, 2].map((s) => ({
        prompt,
        completion: tokens.slice((3 * p + s) * 24, (3 * p + s + 1) * 24),
      })),
    );
    expect(new Set(drawn.map((d) => d.completion.join())).size).toBe(12);
    const policy = await ReferencePolicy.open(folder, engine);
    const again = await policy.logprobs(drawn, 4, expected.temperature);
    expect(largestDifference(logprobs!.data as Float32Array, again.flat())).toBeLessThan(
      tolerances.logprobs,
    );
  });
});

describe('the training graph', () => {
  it.each([
    ['likelihood', 4],
    ['likelihood', 1],
    ['clipped_ratio', 2],
  ] as const)('%s: every gradient, in microbatches of %i', async (kind, microbatch) => {
    const { found, loss } = await gradients(kind, microbatch);
    const reference = await readFloat32(join(folder, `gradients-${kind}.safetensors`));
    for (const [name, gradient] of found)
      expect(relativeError(gradient, reference.get(name)!), name).toBeLessThan(tolerances.gradient);
    expect(found.size).toBe(reference.size);
    expect(Math.abs(loss - expected[`${kind}_loss`])).toBeLessThan(tolerances.logprobs);
  });

  it('follows torch.optim.AdamW for ten steps, clipping by global norm', async () => {
    const trainer = await PolicyTrainer.load(folder, engine);
    const { adamw, kl } = expected;
    for (const [i, loss] of adamw.losses.entries()) {
      const stats = await trainer.train(trainSequences(), 2, 'clipped_ratio', stepSettings());
      expect(stats.policy_loss + kl * stats.k2).toBeCloseTo(loss, 4);
      expect(Math.abs(stats.grad_norm / adamw.grad_norms[i]! - 1)).toBeLessThan(
        tolerances.trajectory,
      );
    }
    const out = await mkdtemp(join(tmpdir(), 'anneal-parity-'));
    try {
      await trainer.save(out);
      const found = await readFloat32(join(out, 'model.safetensors'));
      const reference = await readFloat32(join(folder, 'after-adamw.safetensors'));
      for (const [name, values] of reference)
        expect(relativeError(found.get(name)!, values), name).toBeLessThan(tolerances.trajectory);
    } finally {
      await rm(out, { recursive: true });
    }
  });

  it('goes on from its checkpoint bit for bit', async () => {
    const train = (trainer: PolicyTrainer) =>
      trainer.train(trainSequences(), 2, 'clipped_ratio', stepSettings());
    const trainer = await PolicyTrainer.load(folder, engine);
    await train(trainer);
    const out = await mkdtemp(join(tmpdir(), 'anneal-parity-'));
    try {
      await trainer.save(out);
      const resumed = await PolicyTrainer.load(out, engine);
      expect(resumed.step).toBe(1);
      for (let i = 0; i < 2; i++) expect(await train(resumed)).toEqual(await train(trainer));
    } finally {
      await rm(out, { recursive: true });
    }
  });
});

async function gradients(kind: ObjectiveKind, microbatch: number) {
  const c = await readModelConfig(folder);
  const parameters = await readParameters(folder, c);
  const sequences = trainSequences();
  const lengths = sequenceLengths(sequences);
  const leading = [sequences.length / microbatch, microbatch];
  const graph = gradientGraph(c, kind, { batch: microbatch, ...lengths });
  const session = await Session.create(graph, engine);
  const rows = (of: (s: (typeof sequences)[number]) => readonly number[]) =>
    packPerToken(sequences.map(of), leading, lengths.completionLength);
  const settings: Record<string, number> = stepSettings();
  const outputs = await session.run({
    microbatches: { data: BigInt64Array.of(BigInt(leading[0]!)), shape: [] },
    ...packSequences(sequences, leading, lengths),
    weight: rows((s) => s.weight),
    advantage: rows((s) => s.advantage),
    reward: rows((s) => s.completion.map(() => 0)),
    old_logprobs: rows((s) => s.oldLogprobs),
    reference_logprobs: rows((s) => s.referenceLogprobs),
    ...Object.fromEntries(
      scalarInputs.map((name) => [name, { data: Float32Array.of(settings[name] ?? 1), shape: [] }]),
    ),
    ...Object.fromEntries(
      parameterSpecs(c).map(({ name, shape }) => [name, { data: parameters.get(name)!, shape }]),
    ),
  });
  const found = new Map(
    parameterSpecs(c).map(({ name }) => [name, outputs[`grad.${name}`]!.data as Float32Array]),
  );
  const stats = outputs.stats!.data;
  return { found, loss: Number(stats[0]) + expected.kl * Number(stats[3]) };
}
