// Tests for every fixture of make_fixtures.py with an expected.json, full models and adapters
// alike: the forward pass, greedy decoding, gradients.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readFloat32 } from '../../src/engine/files/safetensors.ts';
import { lastLogits, tokenLogprobs } from '../../src/engine/inference/token-rows.ts';
import { engine, fixtureFolder, relativeError, rollOut } from './fixture.ts';
import { tolerances } from './tolerances.ts';

interface Expected {
  prompts: number[][];
  completions: number[][];
  logits: number[][];
  logprobs: number[][];
  greedy: number[][];
  /** Only for a classifier. */
  scores: number[][];
}

/** A fixture, its expected values, and its prompts with their completions. */
export function readFixture(name: string) {
  const folder = fixtureFolder(name);
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Expected;
  const sequences = expected.prompts.map((p, i) => [...p, ...expected.completions[i]!]);
  return { folder, expected, sequences };
}

type Fixture = ReturnType<typeof readFixture>;

/** The tests of a language model's forward pass and greedy decoding. */
export function testForwardAndGreedy({ folder, expected, sequences }: Fixture): void {
  it('logits of the last token', async () => {
    expectRows(await lastLogits(folder, sequences, engine), expected.logits, tolerances.logits);
  });

  it('log-probabilities of every token after the first', async () => {
    const found = await tokenLogprobs(folder, sequences, engine);
    expectRows(found, expected.logprobs, tolerances.logprobs);
  });

  it('64 greedy tokens', async () => {
    const { prompts } = expected;
    const drawn = await rollOut(folder, { prompts, maxNewTokens: 64, temperature: 0 });
    expect(drawn.map(({ tokens }) => tokens)).toEqual(expected.greedy);
  });
}

/** Expect rows of the same lengths whose numbers differ by less than `tolerance`. */
export function expectRows(
  found: readonly ArrayLike<number>[],
  expected: readonly number[][],
  tolerance: number,
): void {
  expect(found.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  found.forEach((row, i) => {
    const differences = expected[i]!.map((x, j) => Math.abs(row[j]! - x));
    // A difference of NaN has to fail too.
    expect(differences.filter((x) => !(x < tolerance))).toEqual([]);
  });
}

/** Expect exactly the gradients in the fixture's gradients.safetensors, within tolerance. */
export async function expectGradients(
  folder: string,
  found: ReadonlyMap<string, Float32Array>,
): Promise<void> {
  const reference = await readFloat32(join(folder, 'gradients.safetensors'));
  expect(found.size).toBe(reference.size);
  for (const [tensor, gradient] of found)
    expect(relativeError(gradient, reference.get(tensor)!), tensor).toBeLessThan(
      tolerances.gradient,
    );
}
