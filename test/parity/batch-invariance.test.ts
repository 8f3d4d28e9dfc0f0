// A sample is the same, to the last bit, in every batch: by itself, among other prompts, longer
// ones or more samples, and whichever other samples end earlier.

import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openPolicyFolder } from '../../src/engine/files/policy-folder.ts';
import type { GenerateJob } from '../../src/engine/inference/jobs.ts';
import { Sampler } from '../../src/engine/inference/sampler.ts';
import type { Rollout } from '../../src/records/rollouts.ts';
import { engine } from './fixture.ts';

const model = fileURLToPath(new URL('../../models/policy', import.meta.url));
const prompts = [
  '// add two numbers\n// add(a, b)\n',
  '// the largest of a list of numbers, or undefined where the list is empty\n// largest(values)\n',
  '// x\n',
  '// count the words of a text that are longer than a limit, whatever separates them, and return it\n// countLongWords(text, limit)\n',
  '// reverse a string\n// reversed(text)\n',
  // Long enough that a prompt's samples are computed as rows of one product.
  `// sort a list of records ${'by a key, then by another where the first is equal, '.repeat(5)}\n// sorted(records)\n`,
].map((prompt, i) => ({ id: `p${i}`, prompt }));

const job = (which: readonly number[], samplesPerPrompt: number): GenerateJob => ({
  engine,
  model,
  prompts: which.map((i) => prompts[i]!),
  samplesPerPrompt,
  draw: { temperature: 1.2, topK: null, topP: 1, minP: 0 },
  maxNewTokens: 80,
  stopStrings: [],
  promptFormat: { kind: 'plain', bos: false },
  seed: 5,
  stream: 'test',
});

it.each([
  [[0], 1],
  [[3], 6],
  [[2, 1], 3],
  [[4, 2, 0], 2],
  [[5], 1],
  [[5, 1], 4],
] as const)('prompts %j, %i samples', async (which, samples) => {
  const sampler = await Sampler.open(await openPolicyFolder(model), engine);
  const whole = await sampler.sample(job([0, 1, 2, 3, 4, 5], 6));
  expect(new Set(whole.map(({ tokens }) => tokens.length)).size).toBeGreaterThan(5);
  const same = ({ promptId, sample }: Rollout) =>
    whole.find((other) => other.promptId === promptId && other.sample === sample);
  for (const rollout of await sampler.sample(job(which, samples)))
    expect(rollout).toEqual(same(rollout));
  await sampler.close();
});
