// If a run's file is deleted or changed by one bit, it is rebuilt or refused by name, and never
// used. The server, workflows, activities and files are real; only the model is a fake, whose
// checkpoints have the same files as real ones.

import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createActivities } from '../../src/activities/index.ts';
import { createModelDouble } from '../../src/activities/model-double.fixture.ts';
import { activitiesByQueue, taskQueues } from '../../src/activities/task-queues.ts';
import { decodeJsonl, encodeJsonl } from '../../src/artifacts/jsonl.ts';
import { workflowBundle } from '../../src/workers/workflow-bundle.ts';
import type { rewardModelTraining, trainingRun } from '../../src/workflows/index.ts';
import { type RunResult, statusQuery } from '../../src/workflows/messages.ts';
import { searchKeys } from '../../src/workflows/search-attributes.ts';

let folder: string;
let env: TestWorkflowEnvironment;
let stopWorkers: () => Promise<void>;
let whole: RunResult;

const at = (path: string) => join(folder, path);
const inRun = (run: string, path: string) => at(`runs/${run}/${path}`);

const prompts = ['a', 'b', 'c'].map((id) => ({
  id,
  prompt: `/** Doubles ${id}. */`,
  entry: 'twice',
  language: 'javascript' as const,
  tests: [{ args: [2], returns: 4 }],
  reference: '/** Twice x. */\nfunction twice(x) {\n  return 2 * x;\n}\n',
}));

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  folder = await mkdtemp(join(tmpdir(), 'anneal-damage-'));
  for (const name of ['policy', 'judge']) {
    await mkdir(at(name));
    await writeFile(at(`${name}/model.safetensors`), `${name}: weights at the start`);
  }
  env = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: process.env.ANNEAL_TEMPORAL_CLI! },
      searchAttributes: Object.values(searchKeys),
    },
  });
  stopWorkers = await startWorkers();
  whole = await (await start('whole')).result();
});
afterAll(async () => {
  await stopWorkers?.();
  await env?.teardown();
  await rm(folder, { recursive: true });
});

/** Serve every queue, and damage each run's file just before the activity named in its case. */
async function startWorkers(): Promise<() => Promise<void>> {
  const activities = createActivities({
    runsDir: at('runs'),
    allowPaths: [folder],
    models: createModelDouble(prompts),
  });
  const damaging = Object.entries(activities).map(([name, activity]) => [
    name,
    async (input: Place & { run: string }) => {
      const planned = cases.get(input.run);
      if (planned && comesBefore(planned, name, input)) {
        cases.delete(input.run);
        await damages[planned.how](inRun(input.run, planned.path));
      }
      return (activity as (input: unknown) => unknown)(input);
    },
  ]);
  const byQueue = activitiesByQueue(Object.fromEntries(damaging));
  const workers = await Promise.all(
    Object.values(taskQueues).map(async (taskQueue) =>
      Worker.create({
        connection: env.nativeConnection,
        taskQueue,
        activities: byQueue[taskQueue]!,
        ...(taskQueue === taskQueues.workflows && { workflowBundle: await workflowBundle() }),
      }),
    ),
  );
  const running = workers.map((worker) => worker.run());
  return async () => {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
  };
}

interface Place {
  epoch?: number;
  split?: string;
  /** The shards of a summary; training and held-out samples use the same activity. */
  scored?: { path: string }[];
}
interface Damage extends Omit<Place, 'scored'> {
  path: string;
  /** Damage the file before this activity, of `epoch` and `split` if given. */
  before: string;
  how: keyof typeof damages;
}
const cases = new Map<string, Damage>();

function comesBefore(planned: Damage, activity: string, input: Place): boolean {
  const { epoch, split, scored } = input;
  return (
    planned.before === activity &&
    (activity !== 'evaluate' || scored!.some(({ path }) => path === planned.path)) &&
    (planned.epoch ?? epoch) === epoch &&
    (planned.split ?? split) === split
  );
}

const damages = {
  gone: (path: string) => rm(path),
  flipped: async (path: string) => {
    const bytes = await readFile(path);
    expect(bytes.length).toBeGreaterThan(0);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(path, bytes);
  },
};
const ways = ['gone', 'flipped'] as const;

async function start(run: string, { words = '', ...changes }: Record<string, unknown> = {}) {
  const rows = prompts.map((row) => ({ ...row, prompt: `${row.prompt}${words}` }));
  await writeFile(at(`${run}-train.jsonl`), encodeJsonl(rows.slice(0, 2)));
  await writeFile(at(`${run}-held-out.jsonl`), encodeJsonl(rows.slice(2)));
  const file = {
    model: { path: at('policy') },
    prompts: { train: at(`${run}-train.jsonl`), held_out: at(`${run}-held-out.jsonl`) },
    rlaif: { prompts_per_epoch: 2, num_samples_per_prompt: 3 },
    evaluation: { prompts: 1, num_samples_per_prompt: 3, greedy: false },
    rewards: [{ kind: 'rubric' }, { kind: 'reward_model', name: 'judge', path: at('judge') }],
    phases: [{ name: 'only', epochs: [1, 2] }],
    ...changes,
  };
  return env.client.workflow.start<typeof trainingRun>('trainingRun', {
    workflowId: run,
    taskQueue: taskQueues.workflows,
    args: [file],
  });
}

let runs = 0;
const nextName = () => `run-${++runs}`;

/** Start a run one of whose files will be damaged. */
function startDamaged(damage: Damage, changes: Record<string, unknown> = {}) {
  const run = nextName();
  cases.set(run, damage);
  return start(run, changes);
}

async function expectSameAsWhole(run: string, result: RunResult, paths: readonly string[]) {
  expect(result).toEqual({ ...whole, run });
  expect(cases.has(run)).toBe(false);
  for (const path of ['metrics.jsonl', 'checkpoints/epoch-02/checkpoint.json', ...paths])
    expect(await readFile(inRun(run, path)), path).toEqual(await readFile(inRun('whole', path)));
}

async function problemsOf(run: string): Promise<string[]> {
  const text = await readFile(inRun(run, 'damage.jsonl'), 'utf8').catch(() => '');
  return decodeJsonl<{ problem: string }>(text, run).map(({ problem }) => problem);
}

/** Expect a file damaged in the second epoch to be rebuilt there, and reported once. */
async function expectRemade(damage: Damage): Promise<void> {
  const run = await startDamaged(damage);
  await expectSameAsWhole(run.workflowId, await run.result(), [damage.path]);
  const { remade } = await run.query(statusQuery);
  expect(remade).toEqual([{ epoch: 2, problem: expect.stringContaining(damage.path) }]);
  expect(await problemsOf(run.workflowId)).toEqual([remade![0]!.problem]);
}

const inBothWays = (table: readonly Omit<Damage, 'how'>[]) =>
  table.flatMap((damage) => ways.map((how) => ({ ...damage, how })));

const checkpointFiles = [
  'model.safetensors',
  'optimizer.safetensors',
  'checkpoint.json',
  'trainer_state.json',
];
const second = 'samples/epoch-02';

describe.concurrent('files of the epoch in progress are rebuilt, and the run reports it', () => {
  it.each(
    inBothWays([
      { path: `${second}/rollouts-000.jsonl`, before: 'score', split: 'train', epoch: 2 },
      { path: `${second}/scored-000.jsonl`, before: 'filter', epoch: 2 },
      { path: `${second}/scored-000.jsonl`, before: 'evaluate', epoch: 2 },
      { path: `${second}/batch.jsonl`, before: 'train', epoch: 2 },
      ...checkpointFiles.map((name) => ({
        path: `checkpoints/epoch-02/${name}`,
        before: 'generate',
        split: 'held-out',
        epoch: 2,
      })),
      {
        path: `${second}/held-out/rollouts-000.jsonl`,
        before: 'score',
        split: 'held-out',
        epoch: 2,
      },
      { path: `${second}/held-out/scored-000.jsonl`, before: 'evaluate', epoch: 2 },
    ]),
  )('$path, $how before $before', expectRemade);
});

describe.concurrent('the checkpoint that an epoch starts from is rebuilt by its own epoch', () => {
  it.each(
    inBothWays(
      checkpointFiles.map((name) => ({
        path: `checkpoints/epoch-01/${name}`,
        before: 'generate',
        split: 'train',
        epoch: 2,
      })),
    ),
  )('$path, $how', expectRemade);

  it.each(ways)('a reference, %s while the policy trains', async (how) => {
    const path = 'checkpoints/epoch-01/model.safetensors';
    const phases = [
      { name: 'first', epochs: [1, 1] },
      { name: 'second', epochs: [2, 3], reset_reference: true },
    ];
    const calm = await start(nextName(), { phases });
    const run = await startDamaged({ path, how, before: 'train', epoch: 3 }, { phases });
    const expected = await calm.result();
    expect(await run.result()).toEqual({ ...expected, run: run.workflowId });
    expect(await readFile(inRun(run.workflowId, path))).toEqual(
      await readFile(inRun(calm.workflowId, path)),
    );
  });

  it.each(ways)(
    'one that cannot be rebuilt, because retention deleted its sources, is refused, %s',
    async (how) => {
      const path = 'checkpoints/epoch-02/model.safetensors';
      const changes = { phases: [{ name: 'only', epochs: [1, 3] }], retention: { keep_last: 1 } };
      const run = await startDamaged(
        { path, how, before: 'generate', split: 'train', epoch: 3 },
        changes,
      );
      const cause = { type: 'DamagedArtifact', message: expect.stringContaining(path) };
      await expect(run.result()).rejects.toMatchObject({ cause });
    },
  );
});

describe.concurrent('records of earlier epochs are restored from their copies', () => {
  it.each(
    inBothWays(
      ['metrics.jsonl', 'config.json', 'steps/epoch-01.jsonl'].map((path) => ({
        path,
        before: 'analyze',
        epoch: 2,
      })),
    ),
  )('$path, $how', async (damage) => {
    const run = await startDamaged(damage);
    const result = await run.result();
    const events = 'tensorboard/events.out.tfevents.00000.anneal';
    const same = damage.path === 'config.json' ? [] : [damage.path];
    await expectSameAsWhole(run.workflowId, result, [...same, events, 'reports/epoch-02.md']);
    const config = JSON.parse(await readFile(inRun(run.workflowId, 'config.json'), 'utf8'));
    expect(config).toMatchObject({ name: run.workflowId, phases: [{ epochs: [1, 2] }] });
    expect(await problemsOf(run.workflowId)).toEqual([expect.stringContaining(damage.path)]);
  });
});

describe.concurrent('files that cannot be rebuilt are refused by name', () => {
  it.each(
    inBothWays([
      { path: 'checkpoints/start/model.safetensors', before: 'train', epoch: 2 },
      { path: 'checkpoints/reward-model-1/model.safetensors', before: 'score', epoch: 2 },
      { path: 'prompts/train.jsonl', before: 'generate', split: 'train', epoch: 1 },
      { path: 'prompts/held-out.jsonl', before: 'generate', split: 'held-out', epoch: 0 },
    ]),
  )('$path, $how', async (damage) => {
    // Each case has its own prompts, since a worker does not read the same ones twice.
    const run = await startDamaged(damage, { words: ` // ${damage.path} ${damage.how}` });
    const cause = { type: 'DamagedArtifact', message: expect.stringContaining(damage.path) };
    await expect(run.result()).rejects.toMatchObject({ cause });
    expect(await problemsOf(run.workflowId)).toContainEqual(expect.stringContaining(damage.path));
  });
});

describe.concurrent('files that no later stage reads do not affect the run', () => {
  const train = { before: 'train', epoch: 2 };
  it.each(
    inBothWays([
      { path: 'samples/epoch-01/rollouts-000.jsonl', ...train },
      { path: 'samples/epoch-01/scored-000.jsonl', ...train },
      { path: 'samples/epoch-01/batch.jsonl', ...train },
      { path: 'samples/epoch-01/dropped.jsonl', ...train },
      { path: 'reports/epoch-01.md', ...train },
    ]),
  )('$path, $how', async (damage) => {
    const run = await startDamaged(damage);
    await expectSameAsWhole(run.workflowId, await run.result(), ['reports/epoch-02.md']);
    expect((await run.query(statusQuery)).remade).toEqual([]);
  });
});

describe.concurrent('resume_from', () => {
  const resumeFrom = async (path: string, how: keyof typeof damages) => {
    const source = nextName();
    await cp(inRun('whole', ''), inRun(source, ''), { recursive: true });
    await damages[how](inRun(source, path));
    return start(nextName(), { resume_from: inRun(source, 'checkpoints/epoch-01') });
  };
  const ofSource = [
    ...checkpointFiles.map((name) => `checkpoints/epoch-01/${name}`),
    'checkpoints/start/model.safetensors',
    'checkpoints/start/checkpoint.json',
  ].flatMap((path) => ways.map((how) => ({ path, how })));

  it.each(ofSource)('refuses $path, $how, by name', async ({ path, how }) => {
    const run = await resumeFrom(path, how);
    const failure = await run.result().catch((error) => error.cause);
    expect(['DamagedArtifact', 'InvalidModel']).toContain(failure.type);
    const named = failure.type === 'DamagedArtifact' ? path : dirname(path);
    expect(failure.message).toContain(named);
  });

  it.each(ways)(
    'continues with the metrics as originally written: metrics.jsonl, %s',
    async (how) => {
      const run = await resumeFrom('metrics.jsonl', how);
      const { workflowId } = run;
      expect(await run.result()).toEqual({ ...whole, run: workflowId, epochs: 1 });
      expect(await readFile(inRun(workflowId, 'metrics.jsonl'), 'utf8')).toBe(
        await readFile(inRun('whole', 'metrics.jsonl'), 'utf8'),
      );
    },
  );
});

describe.concurrent('the training of a reward model', () => {
  const train = (damage: Damage | null) => {
    const name = nextName();
    if (damage) cases.set(name, damage);
    return env.client.workflow.start<typeof rewardModelTraining>('rewardModelTraining', {
      workflowId: name,
      taskQueue: taskQueues.workflows,
      args: [
        {
          ...{ base: at('policy'), pairs: at('pairs.jsonl'), held_out: at('pairs.jsonl') },
          ...{ training: { epochs: 2 }, out: at(`${name}-out`) },
        },
      ],
    });
  };
  beforeAll(async () => {
    const pairs = prompts.map(({ prompt }) => ({ prompt, chosen: 'good', rejected: 'bad' }));
    await writeFile(at('pairs.jsonl'), encodeJsonl(pairs));
  });

  it.each(
    inBothWays([
      { path: 'pairs/train.jsonl', before: 'trainRewardModel', epoch: 2 },
      { path: 'pairs/held-out.jsonl', before: 'evaluateRewardModel', epoch: 2 },
      { path: 'checkpoints/epoch-01/model.safetensors', before: 'trainRewardModel', epoch: 2 },
      { path: 'scores/epoch-02.jsonl', before: 'publishRewardModel' },
    ]),
  )('refuses $path, $how, by name', async (damage) => {
    const training = await train(damage);
    const cause = { type: 'DamagedArtifact', message: expect.stringContaining(damage.path) };
    await expect(training.result()).rejects.toMatchObject({ cause });
  });

  it.each(ways)("rebuilds the epoch's checkpoint, %s", async (how) => {
    const path = 'checkpoints/epoch-02/model.safetensors';
    const expected = await (await train(null)).result();
    const training = await train({ path, how, before: 'evaluateRewardModel', epoch: 2 });
    expect((await training.result()).epochs).toEqual(expected.epochs);
    expect(await problemsOf(training.workflowId)).toEqual([expect.stringContaining(path)]);
    expect(await readFile(inRun(training.workflowId, path))).toEqual(
      await readFile(inRun(expected.run, path)),
    );
  });
});
