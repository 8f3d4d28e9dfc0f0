// One process with a worker of your own and a client that starts a workflow on it. In production
// they are separate programs. `node main.ts`, with Node 24 or newer; prints the announcement.

import { fileURLToPath } from 'node:url';
import { connect, openServer, type RunFile, taskQueues } from 'anneal-rl';
import { runWorker } from 'anneal-rl/activities';
import { readPrompts, scoreCompletions } from 'anneal-rl/rewards';
import * as activities from './activities.ts';
import { brevity } from './brevity.ts';
import type { trainAndAnnounce } from './workflows.ts';

/** A run of seconds. Paths that do not exist here are looked up in the package. */
const file: RunFile = {
  name: 'own-run',
  model: { path: 'models/policy' },
  prompts: { train: 'data/train.jsonl', held_out: 'data/held-out.jsonl' },
  rlaif: { prompts_per_epoch: 4, num_samples_per_prompt: 8, max_new_tokens: 48 },
  training: { batch_size: 8, microbatch_size: 8, warmup_steps: 2, learning_rate: 1e-4 },
  evaluation: { prompts: 4, num_samples_per_prompt: 2, greedy: false },
  phases: [{ name: 'only', epochs: [1, 1] }],
};

/** Try the reward on a few reference solutions before a run depends on it. */
async function tryReward(promptFile: string): Promise<void> {
  const prompts = (await readPrompts(promptFile)).slice(0, 3);
  const solutions = prompts.map(({ reference }) => reference);
  for (const { reward } of await scoreCompletions(prompts, solutions, [brevity]))
    console.log(`brevity of a reference solution: ${reward?.toFixed(3)}`);
}

async function main(): Promise<void> {
  const server = await openServer({ dataDir: 'server', log: console.log });
  const ending = new AbortController();
  const worker = runWorker(
    { server, runsDir: 'runs' },
    {
      signal: ending.signal,
      activities,
      rewards: [brevity],
      workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
    },
  );
  const client = await connect(server);
  try {
    const announced = client.workflow.execute<typeof trainAndAnnounce>('trainAndAnnounce', {
      workflowId: 'announced-run',
      taskQueue: taskQueues.workflows,
      args: [file],
    });
    console.log(await Promise.race([announced, worker]));
  } finally {
    ending.abort();
    await worker;
    await client.connection.close();
    await server.close();
  }
}

await tryReward(
  fileURLToPath(new URL('./data/held-out.jsonl', import.meta.resolve('anneal-rl/package.json'))),
);
await main();
