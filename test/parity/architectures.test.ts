// Every architecture and option of the decoder against transformers, on the fixtures of
// make_fixtures.py: logits, log-probabilities, 64 greedy tokens, every gradient, scores.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readModelConfig } from '../../src/engine/model/config.ts';
import { parameterSpecs } from '../../src/engine/model/parameters.ts';
import { readFloat32 } from '../../src/engine/model/safetensors.ts';
import { readParameters } from '../../src/engine/model/weights.ts';
import { lastLogits, tokenLogprobs } from '../../src/rl/token-rows.ts';
import {
  engine,
  fixtureFolder,
  gradientsOf,
  largestDifference,
  likelihoodSequences,
  relativeError,
  rollOut,
} from './fixture.ts';
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
];
const classifiers = ['qwen2-classifier', 'qwen3-classifier', 'llama-classifier'];

interface Expected {
  prompts: number[][];
  completions: number[][];
  logits: number[][];
  logprobs: number[][];
  greedy: number[][];
  scores: number[][];
}

function fixture(name: string) {
  const folder = fixtureFolder(name);
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Expected;
  const sequences = expected.prompts.map((p, i) => [...p, ...expected.completions[i]!]);
  return { folder, expected, sequences };
}

describe.each(languageModels)('%s', (name) => {
  const { folder, expected, sequences } = fixture(name);

  it('logits of the last token', async () => {
    (await lastLogits(folder, sequences, engine)).forEach((row, i) => {
      expect(largestDifference(row, expected.logits[i]!)).toBeLessThan(tolerances.logits);
    });
  });

  it('log-probabilities of every token after the first', async () => {
    (await tokenLogprobs(folder, sequences, engine)).forEach((row, i) => {
      expect(largestDifference(row, expected.logprobs[i]!)).toBeLessThan(tolerances.logprobs);
    });
  });

  it('64 greedy tokens', async () => {
    const { prompts } = expected;
    const drawn = await rollOut(folder, { prompts, maxNewTokens: 64, temperature: 0 });
    expect(drawn.map(({ tokens }) => tokens)).toEqual(expected.greedy);
  });

  const gradients = join(folder, 'gradients.safetensors');
  if (existsSync(gradients))
    it('every gradient', async () => {
      const reference = await readFloat32(gradients);
      const found = await likelihoodGradients(folder, expected);
      expect(found.size).toBe(reference.size);
      for (const [tensor, gradient] of found)
        expect(relativeError(gradient, reference.get(tensor)!), tensor).toBeLessThan(
          tolerances.gradient,
        );
    });
});

describe.each(classifiers)('%s', (name) => {
  it('scores of whole sequences', async () => {
    const { folder, expected, sequences } = fixture(name);
    (await lastLogits(folder, sequences, engine)).forEach((row, i) => {
      expect(largestDifference(row, expected.scores[i]!)).toBeLessThan(tolerances.logits);
    });
  });
});

/** Gradients of the mean negative log-likelihood, at the temperature of the fixtures (1.3). */
async function likelihoodGradients(folder: string, expected: Expected) {
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
