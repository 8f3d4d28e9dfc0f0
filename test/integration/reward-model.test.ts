// Training of a reward model with the real engine on a real server: it ends with the same bits if
// killed, and the trained model scores programs in a run.

import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { taskQueues } from '../../src/activities/task-queues.ts';
import type { PreferenceReport } from '../../src/analysis/pages/preference-report.ts';
import { decodeJsonl, encodeJsonl } from '../../src/artifacts/jsonl.ts';
import { resolveInput } from '../../src/config/paths.ts';
import { lastLogits } from '../../src/engine/inference/token-rows.ts';
import { readPrompts } from '../../src/rewards/prompts.ts';
import type { rewardModelTraining } from '../../src/workflows/index.ts';
import type { RewardModelResult } from '../../src/workflows/messages.ts';
import { DurableSetting, shortRun } from './durable-run.ts';

let setting: DurableSetting;
let undisturbed: RewardModelResult;
beforeAll(async () => {
  setting = await DurableSetting.open();
  const prompts = await readPrompts(resolveInput('data/train.jsonl'));
  const pairs = prompts.slice(0, 60).map(({ prompt, reference, entry }) => ({
    prompt,
    chosen: reference,
    rejected: `function ${entry}() {\n  return ${entry};\n}\n`,
  }));
  await writeFile(at('pairs.jsonl'), encodeJsonl(pairs));
  undisturbed = await (await start('undisturbed')).result();
}, 300_000);
afterAll(() => setting?.close(), 120_000);

const at = (path: string) => join(setting.folder, path);
const fileOf = (name: string, changes: object = {}) => ({
  seed: 3,
  base: process.env.ANNEAL_TEST_POLICY ?? 'models/policy',
  pairs: at('pairs.jsonl'),
  held_out_share: 0.2,
  training: { epochs: 2, learning_rate: 3e-4, warmup_steps: 1, batch_size: 8, microbatch_size: 4 },
  out: at(`models/${name}`),
  ...changes,
});

type Training = WorkflowHandle<typeof rewardModelTraining>;

async function start(name: string, changes: object = {}): Promise<Training> {
  await mkdir(at('models'), { recursive: true });
  return setting.client.workflow.start<typeof rewardModelTraining>('rewardModelTraining', {
    workflowId: name,
    taskQueue: taskQueues.workflows,
    args: [fileOf(name, changes)],
  });
}

/** Wait until an activity of that kind is running. */
async function working(training: Training, activity: string): Promise<void> {
  for (;;) {
    const { raw } = await training.describe();
    const pending = raw.pendingActivities ?? [];
    if (pending.some((one) => one.activityType?.name === activity && one.lastStartedTime)) return;
    await delay(10);
  }
}

const manifestOf = (name: string) => setting.read(name, 'checkpoints/epoch-02/checkpoint.json');
const reportOf = async (name: string): Promise<PreferenceReport> =>
  JSON.parse(await readFile(at(`models/${name}/report.json`), 'utf8'));

it('learns to order the answers of held-out prompts, and reports it', async () => {
  const { epochs, held_out, trained } = await reportOf('undisturbed');
  expect(trained).toEqual({ pairs: 48, too_long: 0 });
  expect(epochs.map(({ step }) => step)).toEqual([6, 12]);
  expect(epochs[1]!.loss).toBeLessThan(epochs[0]!.loss);
  expect(held_out).toMatchObject({ pairs: 12, missing: 0, accuracy: 1 });
  expect(undisturbed).toMatchObject({ accuracy: 1, out: at('models/undisturbed') });
  expect(await readFile(at('models/undisturbed/report.md'), 'utf8')).toContain('## Calibration');
});

it('ends with the same bits if the worker is killed', async () => {
  const training = await start('killed', { engine: { snapshot_seconds: 0 } });
  for (const activity of ['prepareRewardModel', 'trainRewardModel', 'evaluateRewardModel']) {
    await working(training, activity);
    if (activity === 'trainRewardModel')
      await setting.written('killed', 'snapshots/epoch-01/last.json');
    setting.killWorker();
  }
  expect((await training.result()).epochs).toEqual(undisturbed.epochs);
  expect(await manifestOf('killed')).toBe(await manifestOf('undisturbed'));
  for (const epoch of ['epoch-01', 'epoch-02'])
    expect(await setting.read('killed', `steps/${epoch}.jsonl`)).toBe(
      await setting.read('undisturbed', `steps/${epoch}.jsonl`),
    );
  const timings = decodeJsonl<{ activity: string; attempt: number; from_step?: number }>(
    await setting.read('killed', 'timings.jsonl'),
    'timings.jsonl',
  );
  const [killed, leftInPeace] = timings.filter(({ activity }) => activity === 'trainRewardModel');
  expect(killed!.attempt).toBe(2);
  expect(killed!.from_step).toBeGreaterThan(0);
  expect(leftInPeace).not.toHaveProperty('from_step');
  expect(await readdir(setting.path('killed', 'snapshots'))).toEqual([]);
});

it('trains adapters and the head, and merges them at the end', async () => {
  const lora = { rank: 4, alpha: 8 };
  const changes = { lora, training: { ...fileOf('').training, learning_rate: 3e-3 } };
  const { accuracy } = await (await start('adapters', changes)).result();
  expect(accuracy).toBe(1);
  const engine = { device: 'cpu', threads: 2, shard_prompts: 8 } as const;
  const rows = [[5, 6, 7, 1023]];
  const [merged, adapters] = await Promise.all([
    lastLogits(at('models/adapters'), rows, engine),
    lastLogits(at('runs/adapters/checkpoints/epoch-02'), rows, engine),
  ]);
  expect(merged[0]![0]).toBeCloseTo(adapters[0]![0]!, 3);
});

it('refuses a configuration that cannot work, and says why', async () => {
  const failureOf = async (name: string, changes: object) => {
    const training = await start(name, changes);
    return training.result().catch((error) => error.cause);
  };
  await writeFile(at('broken.jsonl'), '{"prompt": "p", "chosen": "a"}\n');
  expect(await failureOf('broken', { pairs: at('broken.jsonl') })).toMatchObject({
    type: 'InvalidData',
    message: expect.stringContaining('broken.jsonl, line 1: rejected'),
  });
  expect(await failureOf('occupied', { out: at('models/undisturbed') })).toMatchObject({
    type: 'InvalidConfig',
    message: expect.stringContaining('out: expected a new or empty folder'),
  });
});

it('says what to do if every answer is too long', async () => {
  const training = { ...fileOf('').training, max_length: 8 };
  const failure = await (await start('long', { training })).result().catch((error) => error.cause);
  expect(failure).toMatchObject({
    type: 'InvalidData',
    message: expect.stringMatching(/at most 8 tokens.*found none among 48; raise/),
  });
});

it('scores the programs of a run, while tests are only reported', async () => {
  const rewards = [
    { kind: 'reward_model', path: at('models/undisturbed') },
    { kind: 'rubric', weight: 0 },
  ];
  const phases = [{ name: 'only', epochs: [1, 1] }];
  const run = await setting.start('judged', { ...shortRun, rewards, phases });
  await run.result();
  const lines = (await setting.read('judged', 'metrics.jsonl')).trimEnd().split('\n');
  const metrics = JSON.parse(lines.at(-1)!);
  expect(metrics['eval/reward']).toBe(metrics['eval/rewards/reward_model/mean']);
  expect(metrics['eval/rewards/rubric/mean']).not.toBe(metrics['eval/reward']);
  expect(metrics['eval/pass_rate']).toBe(metrics['eval/pass@1']);
  expect(metrics.samples_missing).toBe(0);
});

const python = process.env.ANNEAL_PYTHON;
it.skipIf(!python)('leaves a classifier that transformers loads', async () => {
  const script =
    'import sys; from transformers import AutoModelForSequenceClassification as A; print(A.from_pretrained(sys.argv[1]).config.num_labels)';
  const { stdout } = await promisify(execFile)(python!, ['-c', script, at('models/undisturbed')]);
  expect(stdout.trim()).toBe('1');
});
