// `anneal eval` on the embedded policy, and its file of samples.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { packageRoot } from '../../config/paths.ts';
import { type EvalOptions, evaluateModel } from './eval.ts';

const model = join(packageRoot, 'models/policy');
let folder: string;
let options: EvalOptions;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-eval-'));
  const prompts = join(folder, 'prompts.jsonl');
  const all = await readFile(join(packageRoot, 'data/held-out.jsonl'), 'utf8');
  await writeFile(prompts, all.split('\n').slice(0, 20).join('\n'));
  options = {
    ...{ prompts, n: 3, maxTokens: 64, temperature: 1, topP: 1, minP: 0, stop: [], seed: 1 },
    json: true,
  };
});
afterAll(() => rm(folder, { recursive: true }));

async function evaluate(more: Partial<EvalOptions> = {}) {
  let printed = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text;
    return true;
  });
  try {
    await evaluateModel(model, { ...options, ...more });
  } finally {
    write.mockRestore();
  }
  return JSON.parse(printed);
}

it('counts every prompt, and continues from a file that a kill cut off', async () => {
  const out = join(folder, 'samples.jsonl');
  const whole = await evaluate({ out });
  expect(whole).toMatchObject({ prompts: 20, samples: 60, 'pass@1': { prompts: 20 } });
  expect(whole['pass@3'].value).toBeGreaterThanOrEqual(whole['pass@1'].value);
  const text = await readFile(out, 'utf8');
  const lines = text.split('\n');
  expect(lines).toHaveLength(1 + 60 + 1);
  // In the middle of a sample, of a prompt and of a shard.
  await writeFile(out, `${lines.slice(0, 30).join('\n')}\n${lines[30]!.slice(0, 40)}`);
  expect(await evaluate({ out })).toEqual(whole);
  const sorted = (file: string) => file.split('\n').sort();
  expect(sorted(await readFile(out, 'utf8'))).toEqual(sorted(text));
  expect(await evaluate()).toEqual(whole);
});

it.each([
  [{ temperature: 0.5 }, /other values of temperature/],
  [{ n: 2 }, /other values of n/],
])('refuses a file of other settings: %j', async (more, message) => {
  const out = join(folder, 'samples.jsonl');
  const before = await readFile(out, 'utf8');
  await expect(evaluate({ ...more, out })).rejects.toThrow(message);
  expect(await readFile(out, 'utf8')).toBe(before);
});

it('refuses a file that is none of samples, and k beyond n', async () => {
  const out = options.prompts;
  await expect(evaluate({ out })).rejects.toThrow(/found another file/);
  await expect(evaluate({ k: [1, 8] })).rejects.toThrow(/--k: expected at most --n 3/);
});
