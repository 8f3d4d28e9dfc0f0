// Compares the engine with transformers and torch, using the fixtures of make_fixtures.py: forward
// pass, greedy decoding through the rollout graph, every gradient, 20 steps of AdamW.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readModelConfig } from '../../src/engine/files/model-config.ts';
import { readFloat32 } from '../../src/engine/files/safetensors.ts';
import { readParameters } from '../../src/engine/files/weights.ts';
import { LogprobScorer } from '../../src/engine/inference/logprob-scorer.ts';
import { parameterSpecs } from '../../src/engine/model/parameters.ts';
import { uniforms } from '../../src/engine/sampling/random.ts';
import type { ObjectiveKind } from '../../src/rl/policy/objective.ts';
import { PolicyTrainer } from '../../src/rl/policy/trainer.ts';
import {
  engine,
  expected,
  folder,
  gradientsOf,
  relativeError,
  rollOut,
  stepSettings,
  trainSequences,
} from './fixture.ts';
import { expectRows } from './suite.ts';
import { tolerances } from './tolerances.ts';

describe('log-probabilities', () => {
  it('of completions after prompts of different lengths', async () => {
    const policy = await LogprobScorer.open(folder, engine);
    const found = await policy.logprobs(trainSequences(), 4, expected.temperature);
    expectRows(found, expected.logprobs, tolerances.logprobs);
  });
});

describe('rollouts', () => {
  it('decode greedily as transformers does', async () => {
    const { prompts } = expected;
    const drawn = await rollOut(folder, { prompts, samplesPerPrompt: 2, temperature: 0 });
    expected.greedy.forEach((tokens, p) => {
      for (const sample of [0, 1]) expect(drawn[2 * p + sample]!.tokens).toEqual(tokens);
    });
  });

  it('report the log-probabilities of the drawn tokens', async () => {
    const { prompts, temperature } = expected;
    const drawn = await rollOut(folder, {
      prompts,
      samplesPerPrompt: 3,
      temperature,
      uniforms: (p, sample) => uniforms('draw', p, sample),
    });
    expect(new Set(drawn.map(({ tokens }) => tokens.join())).size).toBe(12);
    const policy = await LogprobScorer.open(folder, engine);
    const sequences = drawn.map(({ tokens }, i) => ({
      prompt: prompts[Math.floor(i / 3)]!,
      completion: tokens,
    }));
    const again = await policy.logprobs(sequences, 4, temperature);
    const drew = drawn.map(({ logprobs }) => logprobs);
    expectRows(drew, again, tolerances.logprobs);
  });
});

describe('the training graph', () => {
  it.each([
    ['likelihood', 4],
    ['likelihood', 1],
    ['clipped_ratio', 2],
  ] as const)('%s: every gradient, in microbatches of %i', async (kind, microbatch) => {
    const { found, loss } = await gradients(kind, microbatch, false);
    const reference = await readFloat32(join(folder, `gradients-${kind}.safetensors`));
    for (const [name, gradient] of found)
      expect(relativeError(gradient, reference.get(name)!), name).toBeLessThan(tolerances.gradient);
    expect(found.size).toBe(reference.size);
    expect(Math.abs(loss - expected[`${kind}_loss`])).toBeLessThan(tolerances.logprobs);
  });

  it('gives the same gradients, bit for bit, with recomputation', async () => {
    const kept = await gradients('clipped_ratio', 2, false);
    const again = await gradients('clipped_ratio', 2, true);
    for (const [name, gradient] of again.found)
      expect(gradient, name).toEqual(kept.found.get(name));
  });

  it('follows torch.optim.AdamW for 20 steps, clipping by global norm', async () => {
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

  it('resumes from its checkpoint bit for bit', async () => {
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

async function gradients(kind: ObjectiveKind, microbatch: number, recompute: boolean) {
  const c = await readModelConfig(folder);
  const parameters = await readParameters(folder, c);
  const feeds = Object.fromEntries(
    parameterSpecs(c).map(({ name, shape }) => [name, { data: parameters.get(name)!, shape }]),
  );
  return gradientsOf(folder, trainSequences(), microbatch, { kind, recompute }, feeds);
}
