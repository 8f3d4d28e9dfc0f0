import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPolicyFolder } from '../files/policy-folder.ts';
import type { GenerateJob } from './jobs.ts';
import { Sampler } from './sampler.ts';

const model = fileURLToPath(new URL('../../../models/policy', import.meta.url));
const engine = { device: 'cpu', threads: 2, shard_prompts: 8 } as const;
const draw = { temperature: 1, topK: null, topP: 1, minP: 0 };
const job: GenerateJob = {
  engine,
  model,
  prompts: [{ id: 'sum', prompt: '// Return the sum of values.\n// sum(values)\n' }],
  samplesPerPrompt: 6,
  draw,
  maxNewTokens: 64,
  stopStrings: [],
  promptFormat: { kind: 'plain', bos: false },
  seed: 2,
  stream: 'train/1',
};

let sampler: Sampler;
beforeAll(async () => {
  sampler = await Sampler.open(await openPolicyFolder(model), engine);
});
afterAll(() => sampler.close());

it('a stop string ends a completion and is left out of its text', async () => {
  const whole = await sampler.sample(job);
  const cut = await sampler.sample({ ...job, stopStrings: ['{'] });
  const stopped = cut.filter((_, i) => whole[i]!.text.includes('{'));
  expect(stopped.length).toBeGreaterThan(2);
  cut.forEach(({ text, tokens, logprobs, finish }, i) => {
    const before = whole[i]!;
    expect(text).toBe(before.text.split('{')[0]);
    expect(tokens).toEqual(before.tokens.slice(0, tokens.length));
    expect(logprobs).toEqual(before.logprobs.slice(0, tokens.length));
    if (before.text.includes('{')) expect(finish).toBe('stop');
  });
});

it('the first of two stop strings in the text ends it', async () => {
  const whole = await sampler.sample(job);
  const cut = await sampler.sample({ ...job, stopStrings: ['{', '('] });
  cut.forEach(({ text }, i) => {
    expect(text).toBe(whole[i]!.text.split(/[{(]/)[0]);
  });
});

it('ends at the limit and reports it', async () => {
  for (const { tokens, finish } of await sampler.sample({ ...job, maxNewTokens: 5 })) {
    expect(tokens.length).toBeLessThanOrEqual(5);
    if (tokens.length === 5) expect(finish).toBe('length');
  }
});

it('top-k 1 is greedy', async () => {
  const greedy = await sampler.sample({ ...job, draw: { ...draw, temperature: 0 } });
  const first = await sampler.sample({ ...job, draw: { ...draw, topK: 1 } });
  expect(first.map(({ tokens }) => tokens)).toEqual(greedy.map(({ tokens }) => tokens));
});

it('a prompt longer than the model is refused by its id', async () => {
  const prompts = [{ id: 'long', prompt: 'x '.repeat(600) }];
  await expect(sampler.sample({ ...job, prompts })).rejects.toThrow(
    /prompt long: expected 1 to 448 tokens/,
  );
});
