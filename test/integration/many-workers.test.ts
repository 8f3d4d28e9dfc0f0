// One worker compared with three that share a runs folder: one joins late and one leaves
// in the middle of an activity.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { type SupervisedWorker, superviseWorker } from '../../src/workers/supervisor.ts';
import { pauseUpdate, type RunResult, resumeUpdate } from '../../src/workflows/messages.ts';
import { DurableSetting, shortRun } from './durable-run.ts';

/** One shard per prompt, so that there is work for all, and more training in the second epoch. */
const [exploration, refinement] = shortRun.phases;
const file = {
  ...shortRun,
  engine: { ...shortRun.engine, shard_prompts: 1 },
  phases: [exploration, { ...refinement, rlaif: { num_samples_per_prompt: 64 } }],
};

let setting: DurableSetting;
let single: RunResult;
const more: SupervisedWorker[] = [];
beforeAll(async () => {
  setting = await DurableSetting.open();
  single = await (await setting.start('single', file)).result();
}, 600_000);
afterAll(async () => {
  await Promise.all(more.map((worker) => worker.close()));
  await setting?.close();
}, 120_000);

async function another(): Promise<SupervisedWorker> {
  const { server } = setting;
  const worker = superviseWorker({ server, runsDir: setting.path('..', 'runs'), log: () => {} });
  more.push(worker);
  await worker.ready;
  return worker;
}

it('ends with the same bits on three workers, if one joins late and one leaves', async () => {
  const second = await another();
  const run = await setting.start('together', file);
  await setting.working('together', 'exploration', 1, 'generate');
  // The epoch in progress continues while the third starts; all three work on the next.
  await run.executeUpdate(pauseUpdate);
  const third = await another();
  await run.executeUpdate(resumeUpdate);

  const leaver = await setting.working('together', 'refinement', 2, 'train');
  await [setting.worker, second, third].find(({ pid }) => pid === leaver)!.close();
  const { checkpoint } = await run.result();

  expect(checkpoint).toEqual(single.checkpoint);
  expect(await setting.read('together', 'metrics.jsonl')).toBe(
    await setting.read('single', 'metrics.jsonl'),
  );
  const attempts = await setting.attempts('together', 'refinement', 2);
  expect(new Set(attempts.map(({ worker }) => worker)).size).toBe(3);
  const trained = attempts.find(({ activity }) => activity === 'train')!;
  expect(trained.worker).not.toBe(leaver);
  // It was handed back and did not time out.
  expect(trained).toMatchObject({
    attempt: 2,
    lastFailure: { message: expect.stringMatching(/shut/i) },
  });
  expect(trained.lastFailure!.timeoutFailureInfo).toBeFalsy();
});
