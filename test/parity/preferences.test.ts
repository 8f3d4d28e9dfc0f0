// Compares a reward model's Bradley–Terry loss with torch and PEFT, using the fixtures of
// make_preference_fixtures.py: scores, loss, every gradient, ten steps of AdamW; full and LoRA.

import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPolicyFolder } from '../../src/engine/files/policy-folder.ts';
import { readFloat32 } from '../../src/engine/files/safetensors.ts';
import { mergeAdapters } from '../../src/engine/inference/merge.ts';
import { lastLogits } from '../../src/engine/inference/token-rows.ts';
import { rotaryFeeds } from '../../src/engine/model/rope.ts';
import { Session } from '../../src/engine/runtime/session.ts';
import { TrainingState } from '../../src/engine/training/training-state.ts';
import { preferenceGraph } from '../../src/rl/preference/graph.ts';
import { PreferenceTrainer, packPairs, type TokenPair } from '../../src/rl/preference/trainer.ts';
import { engine, fixtureFolder, relativeError } from './fixture.ts';
import { tolerances } from './tolerances.ts';

interface Case {
  loss: number;
  margins: number[];
  losses: number[];
}
const expected = JSON.parse(readFileSync(fixtureFolder('preferences.json'), 'utf8')) as {
  pairs: TokenPair[];
  adamw: { learning_rate: number; weight_decay: number; max_grad_norm: number };
  full: Case;
  lora: Case;
};
const { pairs } = expected;
const settings = { ...expected.adamw, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

let out: string;
beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'anneal-preferences-'));
});
afterAll(() => rm(out, { recursive: true }));

describe.each([
  ['every weight', 'qwen2-classifier', expected.full],
  ['adapters and the head', 'lora-classifier', expected.lora],
])('%s', (_, name, wanted) => {
  const folder = fixtureFolder(name);
  const scored = (model: string, rows: readonly (readonly number[])[]) =>
    lastLogits(model, rows, engine).then((scores) => scores.map(([score]) => score!));
  const marginsOf = async (model: string) => {
    const chosen = await scored(
      model,
      pairs.map((pair) => pair.chosen),
    );
    const rejected = await scored(
      model,
      pairs.map((pair) => pair.rejected),
    );
    return chosen.map((score, i) => score - rejected[i]!);
  };

  it('scores as transformers does', async () => {
    (await marginsOf(folder)).forEach((margin, i) => {
      expect(Math.abs(margin - wanted.margins[i]!)).toBeLessThan(tolerances.logits);
    });
  });

  it.each([
    [2, false],
    [5, true],
  ])('every gradient, in microbatches of %i, with recomputation: %s', async (size, recompute) => {
    const state = await TrainingState.load(folder, { recompute });
    const { config } = state.policy;
    const files = state.options.lora?.base.files;
    const session = await Session.create(preferenceGraph(config, state.options), {
      ...engine,
      ...(files && { files }),
    });
    const feeds = {
      ...packPairs(pairs, size, config),
      ...rotaryFeeds(config, 16),
      ...state.feeds(),
    };
    const outputs = await session.run(feeds);
    await session.release();
    expect(outputs.stats!.data[0]).toBeCloseTo(wanted.loss, 5);
    const right = wanted.margins.filter((margin) => margin > 0).length / pairs.length;
    expect(outputs.stats!.data[1]).toBeCloseTo(right, 6);
    const gradients = await readFloat32(join(folder, 'preference-gradients.safetensors'));
    expect(gradients.size).toBe(state.specs.length);
    for (const [tensor, gradient] of gradients)
      expect(
        relativeError(outputs[`grad.${tensor}`]!.data as Float32Array, gradient),
        tensor,
      ).toBeLessThan(tolerances.gradient);
  });

  it('follows torch.optim.AdamW, and resumes from a checkpoint as if it had not stopped', async () => {
    const straight = await PreferenceTrainer.load(folder, engine);
    let trainer = await PreferenceTrainer.load(folder, engine);
    for (const [step, loss] of wanted.losses.entries()) {
      const found = await trainer.train(pairs, 2, settings);
      expect(Math.abs(found.loss / loss - 1)).toBeLessThan(tolerances.trajectory);
      expect(await straight.train(pairs, 2, settings)).toEqual(found);
      if (step !== 4) continue;
      const half = join(out, name, 'half');
      await mkdir(half, { recursive: true });
      // Adapters name a neighbouring folder as their base.
      await cp(fixtureFolder('qwen2-classifier'), join(out, name, 'qwen2-classifier'), {
        recursive: true,
      });
      await trainer.save(half);
      await trainer.close();
      trainer = await PreferenceTrainer.load(half, engine);
    }
    await trainer.close();
    await straight.close();
  });
});

it('adapters and their base merge into one classifier with the same scores', async () => {
  const merged = join(out, 'merged');
  await mkdir(merged);
  await mergeAdapters(fixtureFolder('lora-classifier'), merged);
  expect((await openPolicyFolder(merged)).lora).toBeUndefined();
  const rows = pairs.map(({ chosen }) => chosen);
  const [found, wanted] = await Promise.all(
    [merged, fixtureFolder('lora-classifier')].map((model) => lastLogits(model, rows, engine)),
  );
  expect(relativeError(found!.flat(), wanted!.flat())).toBeLessThan(tolerances.logits);
});
