// Compares every architecture and option of the decoder with transformers, using the fixtures of
// make_fixtures.py: logits, log-probabilities, 64 greedy tokens, every gradient, scores.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readModelConfig } from '../../src/engine/files/model-config.ts';
import { readParameters } from '../../src/engine/files/weights.ts';
import { lastLogits } from '../../src/engine/inference/token-rows.ts';
import { architectures } from '../../src/engine/model/families.ts';
import { parameterSpecs } from '../../src/engine/model/parameters.ts';
import { engine, gradientsOf, likelihoodSequences } from './fixture.ts';
import { expectGradients, expectRows, readFixture, testForwardAndGreedy } from './suite.ts';
import { tolerances } from './tolerances.ts';

const languageModels = [
  'qwen2-untied',
  'qwen2-bfloat16',
  'qwen2-float16',
  'qwen2-window',
  'qwen3',
  'qwen3-bias',
  'llama',
  'llama-bias',
  'llama-llama3',
  'llama-linear',
  'qwen2-tied-with-head',
  'llama-headless',
];
const classifiers = [
  'qwen2-classifier',
  'qwen3-classifier',
  'llama-classifier',
  'llama-classifier-pad-eos',
];

it('every architecture has a fixture', async () => {
  const fixtures = [...languageModels, ...classifiers].map((name) => readFixture(name).folder);
  const covered = await Promise.all(fixtures.map(readModelConfig));
  expect(new Set(covered.map(({ architecture }) => architecture))).toEqual(
    new Set(architectures.map(({ name }) => name)),
  );
});

describe.each(languageModels)('%s', (name) => {
  const fixture = readFixture(name);
  testForwardAndGreedy(fixture);

  const { folder, expected } = fixture;
  if (existsSync(join(folder, 'gradients.safetensors')))
    it('every gradient', async () => {
      await expectGradients(folder, await likelihoodGradients(folder, expected));
    });
});

describe.each(classifiers)('%s', (name) => {
  it('scores of whole sequences', async () => {
    const { folder, expected, sequences } = readFixture(name);
    expectRows(await lastLogits(folder, sequences, engine), expected.scores, tolerances.logits);
  });
});

/** Gradients of the mean negative log-likelihood, at the temperature of the fixtures (1.3). */
async function likelihoodGradients(
  folder: string,
  expected: Parameters<typeof likelihoodSequences>[0],
) {
  const c = await readModelConfig(folder);
  const parameters = await readParameters(folder, c);
  const sequences = likelihoodSequences(expected);
  const feeds = Object.fromEntries(
    parameterSpecs(c).map(({ name, shape }) => [name, { data: parameters.get(name)!, shape }]),
  );
  const options = { kind: 'likelihood', recompute: false } as const;
  const noKl = { kl_coefficient: { data: Float32Array.of(0), shape: [] } };
  const { found } = await gradientsOf(folder, sequences, 3, options, { ...feeds, ...noKl });
  return found;
}
