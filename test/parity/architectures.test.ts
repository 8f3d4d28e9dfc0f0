// Every architecture and option of the decoder against transformers, on the fixtures of
// make_fixtures.py: logits, log-probabilities, 64 greedy tokens, every gradient, scores.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readModelConfig } from '../../src/engine/model/config.ts';
import { parameterSpecs } from '../../src/engine/model/parameters.ts';
import { readFloat32 } from '../../src/engine/model/safetensors.ts';
import { openWeights, readParameters } from '../../src/engine/model/weights.ts';
import { Session } from '../../src/engine/runtime/session.ts';
import { rolloutGraph } from '../../src/engine/sampling/rollout-graph.ts';
import { packPerToken, packPrompts, packSequences, sequenceLengths } from '../../src/rl/packing.ts';
import { lastLogits, tokenLogprobs } from '../../src/rl/token-rows.ts';
import { gradientGraph, scalarInputs } from '../../src/rl/training-graph.ts';
import { engine, largestDifference, relativeError } from './fixture.ts';
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
  const folder = fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
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

  if (name === 'qwen2-window')
    it('is not sampled beyond its window', async () => {
      await expect(greedy(folder, expected.prompts, 64)).rejects.toThrow(/sliding window of 6/);
    });
  else
    it('64 greedy tokens', async () => {
      expect(await greedy(folder, expected.prompts, 64)).toEqual(expected.greedy);
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

async function greedy(folder: string, prompts: number[][], count: number): Promise<number[][]> {
  const c = await readModelConfig(folder);
  c.eosTokenIds = []; // decode on, whatever comes
  const weights = await openWeights(folder, c);
  const graph = rolloutGraph(c, weights, {
    prompts: prompts.length,
    samplesPerPrompt: 1,
    promptLength: 8,
    maxNewTokens: count,
    chunk: 20,
    greedy: true,
  });
  const session = await Session.create(graph, { ...engine, files: weights.files });
  const { completion } = await session.run({
    ...packPrompts(prompts, 8),
    uniforms: { data: new Float32Array(count * prompts.length), shape: [count, prompts.length, 1] },
    inverse_temperature: { data: Float32Array.of(1), shape: [] },
  });
  const data = Array.from(completion!.data, Number);
  return prompts.map((_, i) => data.slice(i * count, (i + 1) * count));
}

/** Gradients of the mean negative log-likelihood, at the temperature of the fixtures (1.3). */
async function likelihoodGradients(folder: string, { prompts, completions }: Expected) {
  const c = await readModelConfig(folder);
  const parameters = await readParameters(folder, c);
  const sequences = prompts.map((prompt, i) => ({ prompt, completion: completions[i]! }));
  const lengths = sequenceLengths(sequences);
  const leading = [1, sequences.length];
  const total = completions.flat().length;
  const every = (value: number) =>
    packPerToken(
      completions.map((tokens) => tokens.map(() => value)),
      leading,
      lengths.completionLength,
    );
  const graph = gradientGraph(c, 'likelihood', { batch: sequences.length, ...lengths });
  const session = await Session.create(graph, engine);
  const scalar = (x: number) => ({ data: Float32Array.of(x), shape: [] });
  const outputs = await session.run({
    microbatches: { data: BigInt64Array.of(1n), shape: [] },
    ...packSequences(sequences, leading, lengths),
    weight: every(1 / total),
    advantage: every(1),
    reward: every(0),
    old_logprobs: every(0),
    reference_logprobs: every(0),
    ...Object.fromEntries(scalarInputs.map((name) => [name, scalar(0)])),
    inverse_temperature: scalar(1 / 1.3),
    ...Object.fromEntries(
      parameterSpecs(c).map(({ name, shape }) => [name, { data: parameters.get(name)!, shape }]),
    ),
  });
  return new Map(
    parameterSpecs(c).map(({ name }) => [name, outputs[`grad.${name}`]!.data as Float32Array]),
  );
}
