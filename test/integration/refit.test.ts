// A reward model refitted between phases, with the real engine on a real server: the refitted model
// scores the next phase, whatever is killed and wherever a run continues from.

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeJsonl } from '../../src/artifacts/jsonl.ts';
import { resolveInput } from '../../src/config/paths.ts';
import { SequenceClassifier } from '../../src/engine/inference/sequence-classifier.ts';
import type { EpochMetrics } from '../../src/records/metrics.ts';
import type { Prompt } from '../../src/records/prompts.ts';
import type { ScoredRollout } from '../../src/records/rollouts.ts';
import { type RunResult, statusQuery } from '../../src/workflows/messages.ts';
import { DurableSetting, type Run, shortRun } from './durable-run.ts';

const teacher = {
  kind: 'reward_model',
  path: 'models/teacher',
  refit: {
    judge: 'rubric',
    held_out_share: 0.5,
    min_pairs: 8,
    training: { epochs: 2, batch_size: 2, warmup_steps: 1 },
  },
};
const file = {
  ...shortRun,
  evaluation: { prompts: 4, num_samples_per_prompt: 4, greedy: false },
  rewards: [teacher, { kind: 'rubric', weight: 0 }],
  phases: [
    { name: 'exploration', epochs: [1, 1] },
    { name: 'refinement', epochs: [2, 3] },
  ],
};
const fitted = 'refits/epoch-02/reward-model-1/checkpoints/epoch-02';

let setting: DurableSetting;
let undisturbed: RunResult;
beforeAll(async () => {
  setting = await DurableSetting.open();
  undisturbed = await (await setting.start('undisturbed', file)).result();
}, 300_000);
afterAll(() => setting?.close(), 120_000);

const rowsOf = async <T>(run: string, path: string) =>
  decodeJsonl<T>(await setting.read(run, path), path);
const refitsOf = async (run: string) =>
  (await setting.client.workflow.getHandle(run).query(statusQuery)).refits!;

/** Wait until an activity of that kind is running in the run's own workflow. */
async function working(run: Run, activity: string): Promise<void> {
  for (;;) {
    const pending = (await run.describe()).raw.pendingActivities ?? [];
    if (pending.some((one) => one.activityType?.name === activity && one.lastStartedTime)) return;
    await delay(10);
  }
}

/** Rewards of an epoch's parsing samples, and a model's scores for them, in the same order. */
async function valuesBy(model: string, epoch: string): Promise<[found: number[], said: number[]]> {
  const samples = await rowsOf<ScoredRollout>('undisturbed', `samples/${epoch}/scored-000.jsonl`);
  const prompts = await rowsOf<Prompt>('undisturbed', 'prompts/train.jsonl');
  const texts = new Map(prompts.map(({ id, prompt }) => [id, prompt]));
  const parsing = samples.filter(({ program }) => program !== null);
  const judge = await SequenceClassifier.open(model, { device: 'cpu', threads: 2 });
  const scores = await judge.scores({
    sequences: parsing.map(({ promptId, text }) => ({
      prompt: texts.get(promptId)!,
      completion: text,
    })),
    promptFormat: { kind: 'plain', bos: false },
    ...{ batchSize: 16, maxLength: 1024 },
  });
  await judge.close();
  const found = parsing.map(({ rewards }) => rewards.reward_model!.value!);
  return [found, scores.map((score) => 1 / (1 + Math.exp(-score!)))];
}

it('scores the next phase with the refitted model, and the first with the given one', async () => {
  const [first, byGiven] = await valuesBy(resolveInput('models/teacher'), 'epoch-01');
  expect(first).toEqual(byGiven);
  for (const epoch of ['epoch-02', 'epoch-03']) {
    const [next, byFitted] = await valuesBy(setting.path('undisturbed', fitted), epoch);
    expect(next.length).toBeGreaterThan(0);
    expect(next).toEqual(byFitted);
    const [, byGivenToo] = await valuesBy(resolveInput('models/teacher'), epoch);
    expect(next).not.toEqual(byGivenToo);
  }
});

it('reports the refit in status, metrics and report', async () => {
  const [refit] = await refitsOf('undisturbed');
  expect(refit).toMatchObject({ reward: 'reward_model', epoch: 2, inForce: true });
  expect(refit!.accuracyAfter).toBeGreaterThanOrEqual(refit!.accuracyBefore!);
  const lines = await rowsOf<EpochMetrics>('undisturbed', 'metrics.jsonl');
  expect(lines.map((line) => line['rewards/reward_model/refit_pairs'])).toEqual([
    ...[undefined, undefined, refit!.pairs, undefined],
  ]);
  const pairs = await rowsOf('undisturbed', 'refits/epoch-02/reward-model-1/pairs/train.jsonl');
  expect(pairs).toHaveLength(refit!.pairs);
  expect(await setting.read('undisturbed', 'report.md')).toContain('## Refits of Reward Models');
});

it('ends with the same bits if the worker is killed during the refit', async () => {
  const engine = { ...file.engine, snapshot_seconds: 0 };
  const run = await setting.start('killed', { ...file, engine });
  const killed = ['evaluateRewardModel', 'trainRewardModel'];
  for (const activity of killed) {
    await working(run, activity);
    if (activity === 'trainRewardModel')
      await setting.written('killed', 'snapshots/epoch-02-reward-model-1-pass-01/last.json');
    setting.killWorker();
  }
  expect((await run.result()).checkpoint).toEqual(undisturbed.checkpoint);
  expect(await refitsOf('killed')).toEqual(await refitsOf('undisturbed'));
  type Timing = { activity: string; attempt: number; from_step?: number };
  const timings = await rowsOf<Timing>('killed', 'timings.jsonl');
  const retried = timings.filter(({ attempt }) => attempt > 1).map(({ activity }) => activity);
  expect(retried).toEqual(expect.arrayContaining(killed));
  const pass = timings.find(({ activity }) => activity === 'trainRewardModel');
  expect(pass!.from_step).toBeGreaterThan(0);
});

it.each([1, 2])("continues from another run's epoch %i exactly as that run did", async (epoch) => {
  const name = `resumed-${epoch}`;
  const resume_from = setting.path('undisturbed', join('checkpoints', `epoch-0${epoch}`));
  const { checkpoint } = await (await setting.start(name, { ...file, resume_from })).result();
  expect(checkpoint).toEqual(undisturbed.checkpoint);
  expect(await setting.read(name, 'metrics.jsonl')).toBe(
    await setting.read('undisturbed', 'metrics.jsonl'),
  );
});

it('keeps the current model, and says so, if there are too few pairs', async () => {
  const refit = { ...teacher.refit, min_pairs: 1000 };
  const rewards = [{ ...teacher, refit }, file.rewards[1]];
  const phases = [file.phases[0], { name: 'refinement', epochs: [2, 2] }];
  await (await setting.start('few', { ...file, rewards, phases })).result();
  expect(await refitsOf('few')).toMatchObject([{ accuracyBefore: null, inForce: false }]);
  await expect(setting.read('few', `${fitted}/checkpoint.json`)).rejects.toThrow('ENOENT');
});

it('refits adapters, from which the next refit and another run continue', async () => {
  const refit = { ...teacher.refit, lora: { rank: 4, alpha: 8 } };
  const rewards = [{ ...teacher, refit }, file.rewards[1]];
  const phases = ['a', 'b', 'c'].map((name, i) => ({ name, epochs: [i + 1, i + 1] }));
  const changed = { ...file, rewards, phases };
  const { checkpoint } = await (await setting.start('adapters', changed)).result();
  expect(await refitsOf('adapters')).toMatchObject([
    { epoch: 2, inForce: true },
    { epoch: 3, inForce: true },
  ]);
  const adapters = 'refits/epoch-03/reward-model-1/checkpoints/epoch-01/adapter_config.json';
  expect(JSON.parse(await setting.read('adapters', adapters))).toMatchObject({
    base_model_name_or_path: '../../../../../checkpoints/reward-model-1',
  });
  const resume_from = setting.path('adapters', 'checkpoints/epoch-02');
  const resumed = await setting.start('adapters-resumed', { ...changed, resume_from });
  expect((await resumed.result()).checkpoint).toEqual(checkpoint);
});
