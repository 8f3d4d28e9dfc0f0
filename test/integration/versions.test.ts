// Two builds of a deployment on a real server. The second becomes current while a run is in
// progress on the first: which of them continues it?

import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { activitiesByQueue, taskQueues } from '../../src/activities/task-queues.ts';
import { deploymentOptions } from '../../src/workers/deployment.ts';
import { workflowBundle } from '../../src/workers/workflow-bundle.ts';
import { searchKeys } from '../../src/workflows/search-attributes.ts';
import { type FakeActivities, fakeActivities, runFile } from './fake-activities.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  env = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: process.env.ANNEAL_TEMPORAL_CLI! },
      searchAttributes: Object.values(searchKeys),
    },
  });
});
afterAll(() => env?.teardown());

/** Start workers of a build on every queue. @returns a function that stops them */
async function serve(settings: NodeJS.ProcessEnv, fakes: FakeActivities) {
  const byQueue = activitiesByQueue(fakes);
  const bundle = await workflowBundle();
  const workers = await Promise.all(
    Object.values(taskQueues).map((taskQueue) =>
      Worker.create({
        ...deploymentOptions(settings),
        connection: env.nativeConnection,
        taskQueue,
        activities: byQueue[taskQueue]!,
        ...(taskQueue === taskQueues.workflows && { workflowBundle: bundle }),
      }),
    ),
  );
  const running = workers.map((worker) => worker.run());
  return async () => {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
  };
}

/** Done as by an operator. The server refuses until workers of that build poll. */
async function makeCurrent(deployment: string, build: string): Promise<void> {
  const which = ['--deployment-name', deployment, '--build-id', build, '--yes'];
  const where = ['--address', env.address];
  const args = ['worker', 'deployment', 'set-current-version', ...which, ...where];
  for (let attempt = 0; ; attempt++) {
    try {
      await promisify(execFile)(process.env.ANNEAL_TEMPORAL_CLI!, args);
      return;
    } catch (error) {
      if (attempt === 60) throw error;
      await delay(500);
    }
  }
}

it.each([
  ['PINNED', 'stays on the build that it began with', '1', []],
  ['AUTO_UPGRADE', 'moves to the current build', '2', [2, 3]],
] as const)('%s: a run %s', async (behavior, _, lastBuild, epochsOnSecond) => {
  const deployment = `anneal-${behavior}`;
  const settings = (build: string) => ({
    TEMPORAL_DEPLOYMENT_NAME: deployment,
    TEMPORAL_WORKER_BUILD_ID: build,
    ANNEAL_VERSIONING_BEHAVIOR: behavior,
  });
  let begun = () => {};
  const training = new Promise<void>((resolve) => {
    begun = resolve;
  });
  let goOn = () => {};
  const current = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const { train } = fakeActivities();
  const first = fakeActivities({
    async train(input) {
      begun();
      await current;
      return train(input);
    },
  });
  const second = fakeActivities();
  const ends = [await serve(settings('1'), first)];
  try {
    await makeCurrent(deployment, '1');
    const run = await env.client.workflow.start('trainingRun', {
      workflowId: `run-${behavior}`,
      taskQueue: taskQueues.workflows,
      args: [runFile],
    });
    await training;
    ends.push(await serve(settings('2'), second));
    await makeCurrent(deployment, '2');
    goOn();
    await run.result();
    const { raw } = await run.describe();
    const version = raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion;
    expect(version).toMatchObject({ deploymentName: deployment, buildId: lastBuild });
    expect(second.inputsOf('train').map(({ epoch }) => epoch)).toEqual(epochsOnSecond);
  } finally {
    goOn();
    for (const end of ends) await end();
  }
});
