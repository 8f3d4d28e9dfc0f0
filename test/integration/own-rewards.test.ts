// Runs with rewards of one's own: the built-in rubric behind a service and in a function trains the
// same weights as the built-in one, and a service that fails holds the run.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadRunFile } from '../../src/config/load.ts';
import { packageRoot } from '../../src/config/paths.ts';
import { rubricSchema } from '../../src/config/schema/rewards/rubric.ts';
import { rewardSchema } from '../../src/config/schema/rewards.ts';
import { type Prompt, promptSchema } from '../../src/records/prompts.ts';
import type { RewardItem } from '../../src/rewards/own/own-reward.ts';
import { createRubric } from '../../src/rewards/rubric/rubric.ts';
import { type RunStatus, resumeUpdate, statusQuery } from '../../src/workflows/messages.ts';
import { DurableSetting } from './durable-run.ts';

const rubric = createRubric(rubricSchema.parse({ kind: 'rubric' }));
const known = new Map<string, Prompt>();

let setting: DurableSetting;
let server: Server;
let folder: string;
/** Requests that fail before the service works. */
let failures = 0;
beforeAll(async () => {
  process.env.ANNEAL_ALLOW_CODE = '1';
  folder = await mkdtemp(join(tmpdir(), 'anneal-own-'));
  server = createServer(async (request, response) => {
    const { items } = (await json(request)) as { items: RewardItem[] };
    const isDown = failures-- > 0;
    const scores = isDown ? [] : await rubricScores(items);
    response.writeHead(isDown ? 503 : 200).end(JSON.stringify({ scores }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  setting = await DurableSetting.open();
}, 300_000);
afterAll(async () => {
  await setting?.close();
  server.close();
  await rm(folder, { recursive: true });
}, 120_000);

async function rubricScores(items: readonly RewardItem[]) {
  const scored = items.map(({ completion, program, ...fields }) => {
    const prompt = known.get(fields.id) ?? promptSchema.parse(fields);
    known.set(prompt.id, prompt);
    return { prompt, completion, program };
  });
  const results = await rubric.score(scored);
  return results.map(({ value, criteria, note }) => ({ score: value, criteria, note }));
}

async function start(id: string, reward: object) {
  const file = await loadRunFile('config/two-phase.yaml', {
    set: [
      'rlaif.prompts_per_epoch=16',
      'training.batch_size=32',
      'training.warmup_steps=2',
      'evaluation.prompts=8',
      'phases.exploration.epochs=[8, 8]',
      'phases.refinement.epochs=[9, 10]',
    ],
  });
  return setting.start(id, {
    ...file,
    rewards: [rewardSchema.parse({ name: 'rubric', ...reward })],
  });
}

const serviceUrl = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

it('the rubric behind a service, and in a function, trains the same weights', async () => {
  const { checkpoint } = await (await start('built-in', { kind: 'rubric' })).result();
  const service = await start('service', { kind: 'http', url: serviceUrl() });
  expect((await service.result()).checkpoint.sha256).toBe(checkpoint.sha256);
  expect(await setting.read('service', 'metrics.jsonl')).toBe(
    await setting.read('built-in', 'metrics.jsonl'),
  );

  const path = join(folder, 'reward.ts');
  const source = join(packageRoot, 'src/rewards');
  await writeFile(
    path,
    `import { rubricSchema } from ${JSON.stringify(join(source, '../config/schema/rewards/rubric.ts'))};
    import { createRubric } from ${JSON.stringify(join(source, 'rubric/rubric.ts'))};
    import { promptSchema } from ${JSON.stringify(join(source, '../records/prompts.ts'))};
    const rubric = createRubric(rubricSchema.parse({ kind: 'rubric' }));
    const known = new Map();
    export default async (items) => {
      const scored = items.map(({ completion, program, ...fields }) => {
        const prompt = known.get(fields.id) ?? promptSchema.parse(fields);
        known.set(prompt.id, prompt);
        return { prompt, completion, program };
      });
      return (await rubric.score(scored)).map(({ value, criteria, note }) => ({ score: value, criteria, note }));
    };`,
  );
  const run = await start('function', { kind: 'function', path });
  expect((await run.result()).checkpoint.sha256).toBe(checkpoint.sha256);
});

it('a service that does not answer holds the run until it is resumed', async () => {
  failures = 1000;
  const run = await start('held', {
    kind: 'http',
    url: serviceUrl(),
    attempts: 1,
    version: 'held',
  });
  for (;;) {
    const { stopped, state } = await run.query<RunStatus, []>(statusQuery);
    if (stopped !== null) {
      expect(stopped).toMatch(/rewards: 'rubric' failed 1 times: Error: 503/);
      expect(state).toBe('paused');
      break;
    }
    await delay(200);
  }
  failures = 0;
  await run.executeUpdate(resumeUpdate);
  expect(await run.result()).toMatchObject({ epochs: 3, stoppedEarly: false });
});
