// The whole method in one file: sample, score, filter, train, evaluate, epoch after epoch. A run
// takes the same steps as activities of a Temporal workflow, which makes them durable; here they
// follow each other in one process. `node examples/epoch.ts [EPOCHS] [PROMPTS]`, 3 and 96 by default.

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../src/config/paths.ts';
import type { ModelService, Prompt, Rollout, RunConfig } from '../src/exports/engine.ts';
// Outside the checkout these are 'anneal-rl/engine' and 'anneal-rl/rewards'.
import * as anneal from '../src/exports/engine.ts';
import * as rewards from '../src/exports/rewards.ts';

/** What all epochs of a training share. */
export interface Training {
  /** The process that holds the models: it samples and trains. */
  models: ModelService;
  config: RunConfig;
  prompts: readonly Prompt[];
  /** Rewards of completions, each for the prompt with the same index; null if missing. */
  score(prompts: readonly Prompt[], completions: readonly string[]): Promise<(number | null)[]>;
}

/** The prompts of an epoch, in the order in which they are sampled: a function of the seed. */
export function drawPrompts({ config, prompts }: Training, epoch: number): Prompt[] {
  const take = config.rlaif.prompts_per_epoch;
  return anneal.promptsOfEpoch(prompts.length, take, config.seed, epoch).map((i) => prompts[i]!);
}

/** Train the policy in folder `model` for an epoch, and write the new one to folder `out`. */
export async function trainEpoch(training: Training, epoch: number, model: string, out: string) {
  const { models, config } = training;
  // The run file's settings with those of the epoch's phase over them.
  const { settings } = anneal.settingsAt(config, epoch);
  const prompts = drawPrompts(training, epoch);
  // A group of completions for every prompt, with the log-probability of each token.
  const rollouts = await sample(training, settings.rlaif, prompts, model, `train/${epoch}`);
  const scored = await score(training, prompts, rollouts);
  // Advantages compare a sample with its group; groups that say nothing are dropped.
  const { samples } = anneal.buildBatch(scored, settings.rlaif);
  if (samples.length === 0)
    throw new Error('expected groups with different rewards; take more prompts');
  const textOf = new Map(prompts.map(({ id, prompt }) => [id, prompt]));
  // Policy gradient with a KL penalty to the reference, in steps of training.batch_size samples.
  const { stats } = await models.train({
    engine: config.engine,
    model,
    reference: config.model.reference ?? config.model.path,
    samples: samples.map((row) => ({ ...row, prompt: textOf.get(row.promptId)! })),
    promptFormat: config.model.prompt_format,
    settings,
    lora: config.model.lora,
    freshOptimizer: false,
    seed: config.seed,
    epoch,
    out,
  });
  return { reward: meanReward(scored), trained: samples.length, kl: stats.kl };
}

/** Mean reward of the policy in folder `model` on held-out prompts. */
export async function evaluate(training: Training, heldOut: readonly Prompt[], model: string) {
  const rollouts = await sample(training, training.config.rlaif, heldOut, model, 'held_out');
  return meanReward(await score(training, heldOut, rollouts));
}

/** Sample completions, one shard of prompts at a time. */
async function sample(
  { models, config: { engine, model: policy, seed } }: Training,
  rlaif: RunConfig['rlaif'],
  prompts: readonly Prompt[],
  model: string,
  stream: string,
): Promise<Rollout[]> {
  const rollouts: Rollout[] = [];
  for (let i = 0; i < prompts.length; i += engine.shard_prompts) {
    const shard = prompts.slice(i, i + engine.shard_prompts);
    const how = { ...anneal.samplingOf(rlaif), promptFormat: policy.prompt_format, seed, stream };
    rollouts.push(...(await models.generate({ engine, model, prompts: shard, ...how })));
  }
  return rollouts;
}

async function score(training: Training, prompts: readonly Prompt[], rollouts: Rollout[]) {
  const byId = new Map(prompts.map((prompt) => [prompt.id, prompt]));
  const asked = rollouts.map(({ promptId }) => byId.get(promptId)!);
  const texts = rollouts.map(({ text }) => text);
  const values = await training.score(asked, texts);
  return rollouts.map((rollout, i) => ({ ...rollout, reward: values[i]!, rewards: {} }));
}

function meanReward(scored: readonly { reward: number | null }[]): number {
  const values = scored.flatMap(({ reward }) => reward ?? []);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

async function main(epochs: number, prompts_per_epoch: number): Promise<void> {
  const config = anneal.resolveConfig({
    model: { path: join(packageRoot, 'models/policy') },
    prompts: { train: 'data/train.jsonl', held_out: 'data/held-out.jsonl' },
    rlaif: { algorithm: 'rloo', kl_penalty: 0.05, reward_weight: 2, prompts_per_epoch },
    training: { learning_rate: 4e-4, warmup_steps: 5 },
    phases: [{ name: 'only', epochs: [1, epochs] }],
  });
  const read = (path: string) => rewards.readPrompts(join(packageRoot, path));
  const heldOut = (await read(config.prompts.held_out)).slice(0, prompts_per_epoch);
  const rubric = rewards.createRubric(rewards.rubricSchema.parse({ kind: 'rubric' }));
  const training: Training = {
    models: anneal.createModelClient(),
    config,
    prompts: await read(config.prompts.train),
    score: async (prompts, completions) => {
      const format = config.model.prompt_format;
      const scores = await rewards.scoreCompletions(prompts, completions, [rubric], { format });
      return scores.map(({ reward }) => reward);
    },
  };
  let policy = config.model.path;
  console.log(`start: held-out reward ${(await evaluate(training, heldOut, policy)).toFixed(3)}`);
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const out = await mkdtemp(join(tmpdir(), `anneal-epoch-${epoch}-`));
    const { reward, trained, kl } = await trainEpoch(training, epoch, policy, out);
    const after = await evaluate(training, heldOut, out);
    console.log(
      `epoch ${epoch}: reward ${reward.toFixed(3)}, trained on ${trained}, KL ${kl.toFixed(4)}, ` +
        `held-out reward ${after.toFixed(3)}, policy in ${out}`,
    );
    policy = out;
  }
  await training.models.close();
}

if (import.meta.main) {
  const [epochs = '3', prompts = '96'] = process.argv.slice(2);
  await main(Number(epochs), Number(prompts));
}
