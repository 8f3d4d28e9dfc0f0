// With the real engine and the embedded policy: a run that is killed repeatedly ends with the same
// bits as an undisturbed one, and so does one that continues from another run's epoch.

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeJsonl } from '../../src/artifacts/jsonl.ts';
import { resolveConfig } from '../../src/config/load.ts';
import type { EpochMetrics } from '../../src/records/metrics.ts';
import type { RunResult } from '../../src/workflows/messages.ts';
import { DurableSetting, shortRun } from './durable-run.ts';

let setting: DurableSetting;
let undisturbed: RunResult;
beforeAll(async () => {
  setting = await DurableSetting.open();
  undisturbed = await (await setting.start('undisturbed', shortRun)).result();
}, 300_000);
afterAll(() => setting?.close(), 120_000);

const metricsOf = async (run: string) =>
  decodeJsonl<EpochMetrics>(await setting.read(run, 'metrics.jsonl'), run);

it('trains: every epoch has its own batch, steps and policy', async () => {
  const [start, ...epochs] = await metricsOf('undisturbed');
  expect(start).toMatchObject({ epoch: 0, phase: 'start' });
  expect(epochs.map(({ epoch, phase }) => [epoch, phase])).toEqual([
    [1, 'exploration'],
    [2, 'refinement'],
  ]);
  for (const { steps, samples_trained } of epochs) {
    expect(steps).toBeGreaterThan(0);
    expect(samples_trained).toBeGreaterThan(0);
  }
  const manifests = ['start', 'epoch-01', 'epoch-02'].map((name) =>
    setting.read('undisturbed', `checkpoints/${name}/checkpoint.json`),
  );
  expect(new Set(await Promise.all(manifests)).size).toBe(3);
});

it('ends with the same bits if worker and server are killed during the run', async () => {
  const run = await setting.start('killed', shortRun);
  for (const activity of ['generate', 'score', 'train']) {
    await setting.working('killed', 'exploration', 1, activity);
    if (activity === 'train') await setting.written('killed', 'snapshots/epoch-01/last.json');
    setting.killWorker();
  }
  await setting.working('killed', 'refinement', 2, 'generate');
  setting.killServer();
  const { checkpoint } = await run.result();

  expect(checkpoint).toEqual(undisturbed.checkpoint);
  expect(await setting.read('killed', 'metrics.jsonl')).toBe(
    await setting.read('undisturbed', 'metrics.jsonl'),
  );
  const died = setting.log.filter((line) => line.startsWith('the worker ended with SIGKILL'));
  expect(died).toHaveLength(3);
  expect(setting.log.filter((line) => line.includes('server died'))).toHaveLength(1);
  const timings = decodeJsonl<{ activity: string; attempt: number; from_step?: number }>(
    await setting.read('killed', 'timings.jsonl'),
    'timings.jsonl',
  );
  const retried = timings.filter(({ attempt }) => attempt > 1).map(({ activity }) => activity);
  expect(retried).toEqual(expect.arrayContaining(['generate', 'score', 'train']));
  // A worker known to be dead does not have to miss its heartbeats first.
  const attempts = await setting.attempts('killed', 'exploration', 1);
  const failures = attempts.flatMap(({ lastFailure }) => lastFailure?.message ?? []);
  expect(failures).toContainEqual(expect.stringMatching(/^the worker \d+@.* died$/));
  expect(attempts.filter(({ lastFailure }) => lastFailure?.timeoutFailureInfo)).toEqual([]);
  const [trained] = timings.filter(({ activity }) => activity === 'train');
  expect(trained!.from_step).toBeGreaterThan(0);
});

it("continues from another run's epoch exactly as that run did", async () => {
  const resume_from = setting.path('undisturbed', 'checkpoints/epoch-01');
  const run = await setting.start('resumed', { ...shortRun, resume_from });
  const { checkpoint, epochs } = await run.result();
  expect(epochs).toBe(1);
  expect(checkpoint).toEqual(undisturbed.checkpoint);
  expect(await setting.read('resumed', 'metrics.jsonl')).toBe(
    await setting.read('undisturbed', 'metrics.jsonl'),
  );
});

it('gives the same bits for adapters too, if killed or continued from another run', async () => {
  const lora = { rank: 4, alpha: 8 };
  const file = { ...shortRun, model: { ...shortRun.model, lora } };
  const whole = await setting.start('adapters', file);
  await setting.written('adapters', 'snapshots/epoch-02/last.json');
  setting.killWorker();
  const { checkpoint } = await whole.result();
  expect(checkpoint.base?.path).toBe('checkpoints/start');
  const config = await setting.read('adapters', 'checkpoints/epoch-02/adapter_config.json');
  expect(JSON.parse(config)).toMatchObject({ r: 4, base_model_name_or_path: '../start' });

  const resume_from = setting.path('adapters', 'checkpoints/epoch-01');
  const resumed = await setting.start('adapters-resumed', { ...file, resume_from });
  expect((await resumed.result()).checkpoint).toEqual(checkpoint);
  expect(await setting.read('adapters-resumed', 'metrics.jsonl')).toBe(
    await setting.read('adapters', 'metrics.jsonl'),
  );
});

it('refuses a bad input from a client at once, with a plain message', async () => {
  const file = { ...shortRun, rlaif: { kl_penality: 0.1 } };
  const run = await setting.start('bad', file);
  await expect(run.result()).rejects.toMatchObject({
    cause: {
      type: 'InvalidConfig',
      message: expect.stringMatching(/rlaif\.kl_penality[\s\S]*kl_penalty/),
    },
  });
  await expect(setting.read('bad', 'config.json')).rejects.toThrow('ENOENT');
});

it("is started by Temporal's own command line, from the resolved configuration", async () => {
  const input = setting.path('..', 'run.json');
  const phases = [{ name: 'only', epochs: [1, 1] }];
  await writeFile(input, JSON.stringify(resolveConfig({ ...shortRun, phases })));
  const temporal = (...args: string[]) =>
    promisify(execFile)(process.env.ANNEAL_TEMPORAL_CLI!, [
      ...['workflow', ...args, '--address', setting.server.address],
      ...['--workflow-id', 'by-hand'],
    ]);
  await temporal(
    ...['start', '--type', 'trainingRun', '--task-queue', 'anneal', '--input-file', input],
  );
  const { stdout } = await temporal('result', '--output', 'json');
  expect(JSON.parse(stdout)).toMatchObject({ status: 'COMPLETED', result: { epochs: 1 } });
});
