// Compares LoRA with PEFT, using the fixtures of make_fixtures.py: forward pass, greedy decoding,
// every gradient, 20 steps of AdamW, and adapters as files.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { storedName } from '../../src/engine/files/adapter-folder.ts';
import { openPolicyFolder } from '../../src/engine/files/policy-folder.ts';
import { readFloat32 } from '../../src/engine/files/safetensors.ts';
import { openWeights } from '../../src/engine/files/weights.ts';
import { adapterFeeds } from '../../src/engine/inference/adapter-feeds.ts';
import { mergeAdapters } from '../../src/engine/inference/merge.ts';
import { lastLogits, tokenLogprobs } from '../../src/engine/inference/token-rows.ts';
import { PolicyTrainer } from '../../src/rl/policy/trainer.ts';
import {
  engine,
  fixtureFolder,
  gradientsOf,
  likelihoodSequences,
  relativeError,
  rollOut,
  stepSettings,
} from './fixture.ts';
import { expectGradients, expectRows, readFixture, testForwardAndGreedy } from './suite.ts';
import { tolerances } from './tolerances.ts';

const likelihood = { ...stepSettings(), kl_coefficient: 0 };

const fixtures = ['lora-qwen2', 'lora-llama', 'lora-pattern', 'lora-layers', 'lora-all-linear'];

describe.each(fixtures)('%s', (name) => {
  const fixture = readFixture(name);
  const { folder, expected } = fixture;
  testForwardAndGreedy(fixture);

  it('with the adapters off, computes the base', async () => {
    const policy = await openPolicyFolder(folder);
    const off = { lora_scale: { data: Float32Array.of(0), shape: [] } };
    const adapters = { ...(await adapterFeeds(policy)), ...off };
    const request = { prompts: expected.prompts, maxNewTokens: 32, temperature: 0 };
    const drawn = await rollOut(folder, { ...request, adapters });
    const base = await rollOut(policy.base, request);
    expect(drawn.map(({ tokens }) => tokens)).toEqual(base.map(({ tokens }) => tokens));
  });

  it('merged into the base, computes the same', async () => {
    const out = await mkdtemp(join(tmpdir(), 'anneal-merged-'));
    try {
      await mergeAdapters(folder, out);
      const { expected, sequences } = fixture;
      expectRows(await lastLogits(out, sequences, engine), expected.logits, tolerances.logits);
    } finally {
      await rm(out, { recursive: true });
    }
  });

  it.each([false, true])('every gradient, with recomputation: %s', async (recompute) => {
    const policy = await openPolicyFolder(folder);
    const base = await openWeights(policy.base, policy.config);
    const lora = { adapters: policy.lora!, base };
    const options = { kind: 'likelihood', recompute, lora } as const;
    const off = { kl_coefficient: { data: Float32Array.of(0), shape: [] } };
    const feeds = { ...(await adapterFeeds(policy)), ...off };
    const { found } = await gradientsOf(folder, likelihoodSequences(expected), 2, options, feeds);
    await expectGradients(folder, found);
  });

  it('follows torch.optim.AdamW for 20 steps, and saves adapters that PEFT loads', async () => {
    const trainer = await PolicyTrainer.load(folder, engine);
    for (let step = 0; step < 20; step++)
      await trainer.train(likelihoodSequences(expected), 2, 'likelihood', likelihood);
    const out = await mkdtemp(join(tmpdir(), 'anneal-lora-'));
    try {
      await trainer.save(out);
      const found = await readFloat32(join(out, 'adapter_model.safetensors'));
      const reference = await readFloat32(join(folder, 'after-adamw.safetensors'));
      expect(found.size).toBe(reference.size);
      for (const [tensor, values] of reference)
        expect(relativeError(found.get(storedName(tensor))!, values), tensor).toBeLessThan(
          tolerances.trajectory,
        );
      const config = JSON.parse(await readFile(join(out, 'adapter_config.json'), 'utf8'));
      const { base, ...policy } = await openPolicyFolder(folder);
      const lora = policy.lora!;
      expect(config).toMatchObject({
        peft_type: 'LORA',
        r: lora.rank,
        lora_alpha: lora.alpha,
        target_modules: lora.modules ?? lora.targets,
        use_rslora: lora.rankStabilized ?? false,
      });
      expect(resolve(out, config.base_model_name_or_path)).toBe(base);
    } finally {
      await trainer.close();
      await rm(out, { recursive: true });
    }
  });
});

it('new adapters change nothing until they are trained', async () => {
  const base = fixtureFolder('qwen2-untied');
  const lora = { rank: 4, alpha: 8, targets: ['q_proj', 'down_proj'] as const };
  const trainer = await PolicyTrainer.load(base, engine, { lora, seed: 3 });
  const sequences = likelihoodSequences({ prompts: [[5, 9]], completions: [[4, 8, 15]] });
  const first = await trainer.train(sequences, 1, 'likelihood', likelihood);
  const [logprobs] = await tokenLogprobs(base, [[5, 9, 4, 8, 15]], engine);
  await trainer.close();
  const atTemperatureOne = { ...likelihood, inverse_temperature: 1 };
  const again = await PolicyTrainer.load(base, engine, { lora, seed: 3 });
  const { likelihood_loss, policy_loss } = await again.train(
    sequences,
    1,
    'likelihood',
    atTemperatureOne,
  );
  await again.close();
  expect(first.grad_norm).toBeGreaterThan(0);
  expect(likelihood_loss).toBeCloseTo(0, 6);
  const mean = logprobs!.slice(1).reduce((sum, x) => sum + x, 0) / 3;
  expect(Math.abs(policy_loss + mean)).toBeLessThan(tolerances.logprobs);
});
