// Memory of the model process over thousands of epochs: a small model samples and is trained, each
// time from the previous checkpoint. `npm run bench -- soak --epochs=3000`

import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { resolveConfig } from '../src/config/load.ts';
import { samplingOf, settingsAt } from '../src/config/schedule.ts';
import type { Prompt } from '../src/records/prompts.ts';
import { createModelClient } from '../src/rl/model-client.ts';
import { smallPolicy } from '../test/long/small-policy.ts';
import { engineOf, residentMb } from '../test/model-process.ts';
import { report } from './figure.ts';

const { values: flags } = parseArgs({
  options: { json: { type: 'boolean' }, epochs: { type: 'string', default: '1000' } },
});
const epochs = Number(flags.epochs);
const tenth = Math.floor(epochs / 10);

const folder = await mkdtemp(join(tmpdir(), 'anneal-bench-'));
const base = await smallPolicy();
const config = resolveConfig(
  {
    model: { path: base },
    prompts: { train: 'data/train.jsonl', held_out: 'data/held-out.jsonl' },
    engine: { threads: 1 },
    rlaif: { num_samples_per_prompt: 2, max_new_tokens: 8 },
    training: { batch_size: 4, microbatch_size: 4 },
    phases: [{ name: 'only', epochs: [1, epochs] }],
  },
  'bench',
);
const rows = (await readFile('data/train.jsonl', 'utf8')).trim().split('\n');
const prompts = rows.slice(0, 2).map((row) => JSON.parse(row) as Prompt);
const models = createModelClient();

/** Sample from a policy and train it on the samples. @returns the new policy's folder */
async function trainEpoch(model: string, epoch: number): Promise<string> {
  const { engine, seed } = config;
  const { settings } = settingsAt(config, epoch);
  const common = { engine, seed, model, promptFormat: config.model.prompt_format };
  const stream = `train/${epoch}`;
  const sampling = samplingOf(settings.rlaif);
  const rollouts = await models.generate({ ...common, ...sampling, prompts, stream });
  const samples = rollouts.map((rollout) => ({
    ...rollout,
    prompt: prompts.find(({ id }) => id === rollout.promptId)!.prompt,
    ...{ advantage: 1, reward: 1 },
  }));
  // The previous checkpoint is still read while the next is written; delete the one before it.
  const out = join(folder, `policy-${epoch % 2}`);
  await rm(out, { recursive: true, force: true });
  await mkdir(out);
  const training = { reference: base, samples, settings, lora: null, freshOptimizer: epoch === 1 };
  await models.train({ ...common, ...training, epoch, out });
  return out;
}

try {
  const memory: number[] = [];
  let policy = base;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    policy = await trainEpoch(policy, epoch);
    memory.push(await residentMb(await engineOf(process.pid)));
  }
  for (const [name, from] of [
    ['first', 0],
    ['middle', Math.floor((epochs - tenth) / 2)],
    ['last', epochs - tenth],
  ] as const)
    report(`model process, ${name} tenth`, 'MB', memory.slice(from, from + tenth));
} finally {
  await models.close();
  for (const path of [folder, base]) await rm(path, { recursive: true });
}
