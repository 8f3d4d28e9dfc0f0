// Runs of the embedded policy with a judge as the reward: a real HTTP server that judges programs
// by their text, and has the faults of real services.

import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decodeJsonl } from '../../src/artifacts/jsonl.ts';
import { loadRunFile } from '../../src/config/load.ts';
import type { JudgeConfig } from '../../src/config/schema/rewards/judge.ts';
import type { RunConfig } from '../../src/config/schema/run.ts';
import type { EpochMetrics } from '../../src/records/metrics.ts';
import {
  type JudgeServer,
  type JudgeServerOptions,
  rubric,
  startJudgeServer,
} from '../../src/rewards/judge/judge-server.fixture.ts';
import { type RunStatus, resumeUpdate, statusQuery } from '../../src/workflows/messages.ts';
import { DurableSetting, type Run } from './durable-run.ts';

const key = 'sk-planted-0123456789';

let setting: DurableSetting;
let judge: JudgeServer;
beforeAll(async () => {
  process.env.ANNEAL_TEST_JUDGE_KEY = key;
  process.env.ANNEAL_JUDGE_KEYS = 'ANNEAL_TEST_JUDGE_KEY=127.0.0.1';
  setting = await DurableSetting.open();
}, 300_000);
afterAll(() => setting?.close(), 120_000);
afterEach(() => judge?.close());

/** Two epochs of `config/llm-teacher.yaml`, with this server as the judge. */
async function runFile(changes: Partial<JudgeConfig> = {}): Promise<RunConfig> {
  const file = await loadRunFile('config/llm-teacher.yaml', {
    set: [
      'rlaif.prompts_per_epoch=16',
      'training.batch_size=32',
      'training.warmup_steps=2',
      'evaluation.prompts=8',
      'phases.exploration.epochs=[8, 8]',
      'phases.refinement.epochs=[9, 9]',
    ],
  });
  const [declared, tests] = file.rewards;
  const own = { base_url: judge.url, api_key_env: 'ANNEAL_TEST_JUDGE_KEY', rubric, ...changes };
  return { ...file, rewards: [{ ...(declared as JudgeConfig), ...own }, tests!] };
}

async function start(id: string, options: JudgeServerOptions, changes?: Partial<JudgeConfig>) {
  judge = await startJudgeServer({ key, ...options });
  return setting.start(id, await runFile(changes));
}

const metricsOf = (id: string) => setting.read(id, 'metrics.jsonl');

const pointwise: Partial<JudgeConfig> = { mode: 'pointwise', concurrency: 16 };

describe.each([
  ['openai-compatible', { provider: 'openai-compatible', mode: 'groupwise' }],
  ['anthropic', { provider: 'anthropic', ...pointwise }],
] as const)('%s', (id, service) => {
  it('ends with the same bits if 30% of the requests meet a fault', async () => {
    const calm = { ...service, model: 'calm' };
    const { checkpoint } = await (await start(`${id}-calm`, {}, calm)).result();
    const requests = judge.requests;
    expect(judge.served.length).toBe(requests);
    await judge.close();

    // Another model's name, so that no verdict is stored yet. Requests to a silent server time out
    // early.
    const faulty = { ...service, model: 'faulty', time_limit_s: 1, attempts: 20 };
    const run = await start(`${id}-faulty`, { faultShare: 0.3 }, faulty);
    expect((await run.result()).checkpoint.sha256).toBe(checkpoint.sha256);
    expect(judge.requests).toBeGreaterThan(1.2 * requests);
    expect(judge.served.length).toBe(requests);
    expect(await metricsOf(`${id}-faulty`)).toBe(await metricsOf(`${id}-calm`));

    const [first, ...epochs] = decodeJsonl<EpochMetrics>(await metricsOf(`${id}-calm`), id);
    expect(first).toMatchObject({ 'eval/rewards/judge/returns': expect.any(Number) });
    for (const { steps, samples_missing } of epochs) {
      expect(steps).toBeGreaterThan(0);
      expect(samples_missing).toBe(0);
    }
  });
});

it('requests no verdict twice, however often the worker is killed', async () => {
  const changes: Partial<JudgeConfig> = { ...pointwise, model: 'killed', concurrency: 4 };
  const run = await start('judge-killed', { latencyMs: 40 }, changes);
  let inFlight = 0;
  for (let kill = 0; kill < 10; kill++) {
    const before = judge.served.length;
    while (judge.served.length < before + 10) await delay(5);
    inFlight += judge.inFlight();
    setting.killWorker();
    await delay(500);
  }
  await run.result();
  expect(judge.served.length).toBeLessThanOrEqual(judge.questions.size + inFlight);
});

/** Wait until the run is stopped by its judge. @returns why, or null if the run ends before */
async function stopOf(run: Run): Promise<string | null> {
  for (;;) {
    const { state, stopped } = await run.query<RunStatus, []>(statusQuery);
    if (state === 'completed') return null;
    if (stopped !== null) {
      expect(state).toBe('paused');
      return stopped;
    }
    await delay(200);
  }
}

it('pauses if the budget is spent or the key refused, says why, and continues when resumed', async () => {
  const changes = { ...pointwise, model: 'paused' };
  const { budget } = (await runFile()).rewards[0] as JudgeConfig;
  const run = await start('judge-paused', {}, { ...changes, budget: { ...budget, calls: 40 } });
  let resumes = 0;
  for (let why = await stopOf(run); why !== null; why = await stopOf(run)) {
    expect(why).toContain(judge.refuse ? 'the service refused the key' : 'calls. Resume the run');
    // Refuse once during an epoch, which is another kind of stop.
    judge.refuse =
      resumes === 2 ? { status: 401, body: { error: { message: `bad key ${key}` } } } : null;
    resumes++;
    await run.executeUpdate(resumeUpdate);
  }
  expect(resumes).toBeGreaterThan(3);
  expect(judge.requests).toBeLessThanOrEqual(40 * (resumes + 1));
  const calm = await setting.start('judge-unpaused', await runFile({ ...changes }));
  expect((await calm.result()).checkpoint.sha256).toBe((await run.result()).checkpoint.sha256);
});

it('keeps the key out of histories, logs, artifacts and reports', async () => {
  expect(setting.log.join('\n')).not.toContain(key);
  const ids = ['judge-paused', 'judge-paused/exploration/epoch-08', 'openai-compatible-faulty'];
  for (const id of ids) {
    const history = await setting.client.workflow.getHandle(id).fetchHistory();
    expect(historyToJSON(history)).not.toContain(key);
  }
  // The whole folder: runs, verdicts, accounts and the server's own database.
  const found = promisify(execFile)('grep', ['-rlaF', key, setting.folder]);
  await expect(found).rejects.toMatchObject({ code: 1, stdout: '' });
});
