// Loads checkpoints with transformers through check_saved.py, if ANNEAL_PYTHON names a Python that
// has torch and transformers.

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mergeAdapters } from '../../src/engine/inference/merge.ts';
import { PolicyTrainer } from '../../src/rl/policy/trainer.ts';
import { engine, likelihoodSequences, stepSettings } from './fixture.ts';

const python = process.env.ANNEAL_PYTHON;
const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const sources = [
  ...[
    ...['qwen2-bfloat16', 'qwen2-float16', 'qwen2-untied', 'qwen2-window', 'qwen3', 'qwen3-bias'],
    ...['llama', 'llama-bias', 'llama-llama3', 'llama-linear'],
    ...['qwen2-tied-with-head', 'llama-headless'],
  ].map((name) => at(`./fixtures/${name}`)),
  at('../../models/policy'),
];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-saved-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Load and save, then load and save the result again. */
async function saveTwice(source: string, index: number): Promise<string> {
  let from = source;
  for (const round of ['first', 'second']) {
    const out = join(folder, `${index}-${round}`);
    await mkdir(out);
    const trainer = await PolicyTrainer.load(from, engine);
    await trainer.save(out);
    await trainer.close();
    from = out;
  }
  return from;
}

/** Adapters trained for a step, their base, and the merged model. */
async function saveAdapters(source: string): Promise<[adapters: string, merged: string]> {
  const [base, adapters, merged] = ['base', 'adapters', 'merged'].map((name) => join(folder, name));
  await cp(source, base!, { recursive: true });
  await mkdir(adapters!);
  await mkdir(merged!);
  const lora = { rank: 4, alpha: 8, targets: ['q_proj', 'o_proj', 'up_proj'] as const };
  const trainer = await PolicyTrainer.load(base!, engine, { lora });
  const sequences = likelihoodSequences({ prompts: [[5, 9]], completions: [[4, 8, 15]] });
  const settings = { ...stepSettings(), learning_rate: 0.1 };
  await trainer.train(sequences, 1, 'likelihood', settings);
  await trainer.save(adapters!);
  await trainer.close();
  await mergeAdapters(adapters!, merged!);
  return [adapters!, merged!];
}

it.skipIf(!python)(
  'load in transformers with every key in its place and the same numbers as their sources',
  async () => {
    const pairs: string[] = [];
    for (const [index, source] of sources.entries())
      pairs.push(await saveTwice(source, index), source);
    pairs.push(...(await saveAdapters(sources[2]!)));
    const { stdout } = await promisify(execFile)(python!, [at('./check_saved.py'), ...pairs]);
    const names = [...sources.map((source) => source.split('/').at(-1)), 'merged'];
    expect(stdout.trim().split('\n')).toEqual(names.map((name) => `OK ${name}`));
  },
  300_000,
);
