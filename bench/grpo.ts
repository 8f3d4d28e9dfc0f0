// An epoch as the activities run it, but without Temporal or a run's folder: generate, score,
// filter, train, one after the other. Also evaluates a policy on held-out prompts.

import { mean } from '../src/analysis/metrics/statistics.ts';
import { samplingOf, settingsAt } from '../src/config/schedule.ts';
import type { RunConfig } from '../src/config/schema/run.ts';
import type { Prompt } from '../src/records/prompts.ts';
import type { Rollout } from '../src/records/rollouts.ts';
import { buildBatch } from '../src/rl/batch.ts';
import type { ModelService } from '../src/rl/model-service.ts';
import { promptsOfEpoch } from '../src/rl/prompt-order.ts';

/** Rewards of completions, each for the prompt with the same index in `ids`; null if missing. */
export type Scorer = (
  ids: readonly string[],
  completions: readonly string[],
) => Promise<(number | null)[]>;

/** Shared by all epochs of a training. */
export interface Training {
  models: ModelService;
  config: RunConfig;
  prompts: readonly Prompt[];
  score: Scorer;
}

/** Seconds of each stage, and completion tokens sampled. */
export interface EpochCost {
  generate: number;
  score: number;
  train: number;
  tokens: number;
}

/** The prompts of an epoch, in the order in which they are sampled. */
export function drawPrompts({ config, prompts }: Training, epoch: number): Prompt[] {
  const take = config.rlaif.prompts_per_epoch;
  return promptsOfEpoch(prompts.length, take, config.seed, epoch).map((i) => prompts[i]!);
}

/** Train the policy in folder `model` for an epoch, and write the new one to `out`. */
export async function trainEpoch(
  training: Training,
  epoch: number,
  model: string,
  out: string,
): Promise<EpochCost> {
  const { models, config, score } = training;
  const { settings } = settingsAt(config, epoch);
  const prompts = drawPrompts(training, epoch);
  const textOf = new Map(prompts.map(({ id, prompt }) => [id, prompt]));
  const start = performance.now();
  const rollouts = await sample(training, prompts, model, `train/${epoch}`);
  const generated = performance.now();
  const rewards = await score(...answers(rollouts));
  const scored = performance.now();
  const { samples } = buildBatch(
    rollouts.map((rollout, i) => ({ ...rollout, reward: rewards[i]!, rewards: {} })),
    settings.rlaif,
  );
  await models.train({
    kind: 'train',
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
  return {
    generate: (generated - start) / 1000,
    score: (scored - generated) / 1000,
    train: (performance.now() - scored) / 1000,
    tokens: rollouts.reduce((sum, { tokens }) => sum + tokens.length, 0),
  };
}

/** Mean reward of the policy in folder `model` on `heldOut`, sampled as in training. */
export async function evaluate(
  training: Training,
  heldOut: readonly Prompt[],
  model: string,
): Promise<number> {
  const rollouts = await sample(training, heldOut, model, 'held_out');
  const rewards = (await training.score(...answers(rollouts))).filter((reward) => reward !== null);
  return mean(rewards)!;
}

/** Sample completions, one shard of prompts at a time. */
async function sample(
  { models, config }: Training,
  prompts: readonly Prompt[],
  model: string,
  stream: string,
): Promise<Rollout[]> {
  const { engine, rlaif } = config;
  const rollouts: Rollout[] = [];
  for (let i = 0; i < prompts.length; i += engine.shard_prompts)
    rollouts.push(
      ...(await models.generate({
        kind: 'generate',
        engine,
        model,
        prompts: prompts.slice(i, i + engine.shard_prompts),
        promptFormat: config.model.prompt_format,
        ...samplingOf(rlaif),
        seed: config.seed,
        stream,
      })),
    );
  return rollouts;
}

const answers = (rollouts: readonly Rollout[]) =>
  [rollouts.map(({ promptId }) => promptId), rollouts.map(({ text }) => text)] as const;
