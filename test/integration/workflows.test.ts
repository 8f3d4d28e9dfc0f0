// The workflows' decisions, on a real server, with fake activities.

import { tmpdir } from 'node:os';
import { Context } from '@temporalio/activity';
import { type WorkflowHandle, WorkflowUpdateFailedError } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Activities } from '../../src/activities/contract.ts';
import { toFailure } from '../../src/activities/failure.ts';
import { createActivities } from '../../src/activities/index.ts';
import { createModelDouble } from '../../src/activities/model-double.fixture.ts';
import type { RewardModelActivities } from '../../src/activities/reward-model/contract.ts';
import { activitiesByQueue, taskQueues } from '../../src/activities/task-queues.ts';
import { summarizePairs } from '../../src/analysis/pages/preference-report.ts';
import { observeRun } from '../../src/client/run-state.ts';
import { startRun } from '../../src/client/start-run.ts';
import { resolveConfig } from '../../src/config/load.ts';
import { mostSettingsBytes } from '../../src/config/size.ts';
import { AnnealError } from '../../src/errors.ts';
import { workflowBundle } from '../../src/workers/workflow-bundle.ts';
import type { experiment, trainingRun } from '../../src/workflows/index.ts';
import {
  adjustUpdate,
  epochWorkflowId,
  pauseUpdate,
  type RunStatus,
  resumeUpdate,
  statusQuery,
  stopUpdate,
} from '../../src/workflows/messages.ts';
import { searchKeys } from '../../src/workflows/search-attributes.ts';
import { statusOf } from './durable-run.ts';
import { checkpoint, type FakeActivities, fakeActivities, runFile } from './fake-activities.ts';

let env: TestWorkflowEnvironment;
let bundle: { codePath: string };
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  bundle = await workflowBundle();
  env = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: process.env.ANNEAL_TEMPORAL_CLI! },
      searchAttributes: Object.values(searchKeys),
      // A few epochs already count as a long history here, so that runs continue as new.
      extraArgs: ['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=60'],
    },
  });
});
afterAll(() => env?.teardown());

type Run = WorkflowHandle<typeof trainingRun>;
type Replaced = Partial<Activities & RewardModelActivities>;
let lastId = 0;

/** Serve every queue with fake activities while `body` runs. */
async function withWorkers(
  replaced: Replaced,
  body: (fakes: FakeActivities) => Promise<void>,
): Promise<void> {
  const fakes = fakeActivities(replaced);
  const byQueue = activitiesByQueue(fakes);
  const workers = await Promise.all(
    Object.values(taskQueues).map((taskQueue) =>
      Worker.create({
        connection: env.nativeConnection,
        taskQueue,
        activities: byQueue[taskQueue]!,
        ...(taskQueue === taskQueues.workflows ? { workflowBundle: bundle } : {}),
        maxHeartbeatThrottleInterval: '100 ms',
      }),
    ),
  );
  const running = workers.map((worker) => worker.run());
  try {
    await body(fakes);
  } finally {
    for (const worker of workers) worker.shutdown();
    await Promise.all(running);
  }
}

/** Start a run with fake activities, and run `body` on it. */
async function withRun(
  replaced: Replaced,
  body: (run: Run, fakes: FakeActivities) => Promise<void>,
  file: unknown = runFile,
): Promise<void> {
  await withWorkers(replaced, async (fakes) => {
    const run = await env.client.workflow.start<typeof trainingRun>('trainingRun', {
      workflowId: `run-${++lastId}`,
      taskQueue: taskQueues.workflows,
      args: [file],
    });
    try {
      await body(run, fakes);
    } finally {
      await run.terminate().catch(() => {});
    }
  });
}

async function until(run: Run, reached: (status: RunStatus) => boolean): Promise<RunStatus> {
  for (;;) {
    const status = await run.query(statusQuery);
    if (reached(status)) return status;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Numbers of events of a workflow's executions, from that one on. */
async function historyLengths(workflowId: string, runId?: string): Promise<number[]> {
  const { events } = await env.client.workflow.getHandle(workflowId, runId).fetchHistory();
  const next = events!.at(-1)!.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  return [events!.length, ...(next ? await historyLengths(workflowId, next) : [])];
}

/** A gate that holds an activity back until the test opens it. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

const anError = (kind: 'InvalidConfig' | 'DamagedArtifact', message: string) =>
  toFailure(new AnnealError(kind, message), Context.current().cancellationSignal);

describe('a run', () => {
  it('runs its phases epoch by epoch, over several executions', async () => {
    await withRun({}, async (run, fakes) => {
      const id = run.workflowId;
      expect(await run.result()).toEqual({
        run: id,
        checkpoint: { path: 'epoch-3', sha256: 'hash of epoch-3', epoch: 3, step: 0 },
        epochs: 3,
        evalRewardAtStart: 0.5,
        evalRewardAtEnd: 0.5,
        stoppedEarly: false,
      });
      const status = await run.query(statusQuery);
      expect(status).toMatchObject({ state: 'completed', firstEpoch: 1, lastEpoch: 3 });
      expect(status.metrics.map(({ epoch, phase }) => [epoch, phase])).toEqual([
        [0, 'start'],
        [1, 'exploration'],
        [2, 'refinement'],
        [3, 'refinement'],
      ]);
      expect(fakes.inputsOf('prepare')).toHaveLength(1);
      const first = fakes.inputsOf('prepare')[0]!.execution;
      const { runId } = await env.client.workflow.getHandle(id).describe();
      expect(runId).not.toBe(first);
    });
  });

  it("trains each epoch from the previous one, with the phase's reference and settings", async () => {
    await withRun({}, async (run, fakes) => {
      await run.result();
      const trained = fakes.inputsOf('train').map((input) => ({
        policy: input.policy.path,
        reference: input.reference.path,
        fresh: input.freshOptimizer,
        kl: input.settings.rlaif.kl_penalty,
      }));
      expect(trained).toEqual([
        { policy: 'start', reference: 'start', fresh: false, kl: 0.05 },
        { policy: 'epoch-1', reference: 'epoch-1', fresh: true, kl: 0.1 },
        { policy: 'epoch-2', reference: 'epoch-1', fresh: false, kl: 0.1 },
      ]);
    });
  });

  it('samples with the policy before training and evaluates the one after', async () => {
    await withRun({}, async (run, fakes) => {
      await run.result();
      const generated = fakes.inputsOf('generate').filter(({ epoch }) => epoch <= 1);
      const seen = generated.map(({ epoch, split, shard, policy }) =>
        [epoch, split, shard, policy.path].join(' '),
      );
      expect(seen.sort()).toEqual([
        '0 greedy 0 start',
        '0 greedy 1 start',
        '0 held-out 0 start',
        '0 held-out 1 start',
        '1 greedy 0 epoch-1',
        '1 greedy 1 epoch-1',
        '1 held-out 0 epoch-1',
        '1 held-out 1 epoch-1',
        '1 train 0 start',
        '1 train 1 start',
      ]);
    });
  });

  it('resolves the ramps of its phases: each epoch samples, trains and records with its own values', async () => {
    const rlaif = { generation_temperature: { ramp: 'linear', from: 1.4, to: 1 } };
    const training = { learning_rate: { ramp: 'step', values: [4e-4, 1e-4] } };
    const phases = [
      { name: 'cooling', epochs: [1, 3], rlaif, training },
      { name: 'cool', epochs: [4, 4] },
    ];
    const inForce = [
      [1.4, 4e-4],
      [1.2, 4e-4],
      [1, 1e-4],
      [1, 2e-4],
    ];
    const file = { ...runFile, training: { learning_rate: 2e-4 }, phases };
    const body = async (run: Run, fakes: FakeActivities) => {
      await run.result();
      const trained = fakes.inputsOf('train').map(({ settings }) => settings);
      const recorded = (await run.query(statusQuery)).metrics.slice(1).map((m) => m.settings!);
      for (const settings of [trained, recorded])
        expect(
          settings.map((s) => [s.rlaif.generation_temperature, s.training.learning_rate]),
        ).toEqual(inForce);
      const sampled = fakes.inputsOf('generate').filter(({ split }) => split === 'train');
      expect(new Map(sampled.map(({ epoch, draw }) => [epoch, draw.temperature]))).toEqual(
        new Map(inForce.map(([temperature], i) => [i + 1, temperature])),
      );
    };
    await withRun({}, body, file);
  });

  it('prunes after every epoch if there is a retention, and otherwise never', async () => {
    const prunedBy = async (file: unknown) => {
      let pruned: unknown;
      const body = async (run: Run, fakes: FakeActivities) => {
        await run.result();
        pruned = fakes
          .inputsOf('prune')
          .map(({ epoch, retention }) => [epoch, retention.keep_last]);
      };
      await withRun({}, body, file);
      return pruned;
    };
    const pruned = [1, 2, 3].map((epoch) => [epoch, 2]);
    expect(await prunedBy({ ...runFile, retention: { keep_last: 2 } })).toEqual(pruned);
    expect(await prunedBy(runFile)).toEqual([]);
  });

  it('refits a reward model between phases, and uses it if it is no worse', async () => {
    const given = checkpoint('given', 0);
    const fake = fakeActivities();
    const accuracies: Record<string, number> = { given: 0.7, '2-2': 0.8, '4-2': 0.75 };
    const replaced: Replaced = {
      async prepare(input) {
        const plan = await fake.prepare(input);
        return { ...plan, rewardModels: { teacher: given }, verdicts: [] };
      },
      async filter(input) {
        expect(input.listVerdicts).toBe(true);
        const verdicts = { path: `verdicts-${input.epoch}`, sha256: '', bytes: 1 };
        return { ...(await fake.filter(input)), verdicts };
      },
      async pairVerdicts({ refit: { epoch } }) {
        const train = { path: 'pairs', sha256: '', bytes: 1, count: epoch === 5 ? 31 : 32 };
        return { train, heldOut: { ...train, count: 1 } };
      },
      async trainRewardModel({ epoch, refit }) {
        const model = checkpoint(`${refit!.epoch}-${epoch}`, epoch);
        return { model, loss: 0, accuracy: 1, tooLong: 0 };
      },
      async evaluateRewardModel({ model, pairs: scores }) {
        return { scores, summary: { ...summarizePairs([]), accuracy: accuracies[model.path]! } };
      },
    };
    const refit = { judge: 'rubric', training: { epochs: 2 } };
    const rewards = [
      { kind: 'reward_model', name: 'teacher', path: 'nowhere', refit },
      { kind: 'rubric', weight: 0 },
    ];
    const phases = [
      { name: 'first', epochs: [1, 1] },
      { name: 'second', epochs: [2, 3] },
      { name: 'third', epochs: [4, 4] },
      { name: 'fourth', epochs: [5, 5] },
    ];
    const body = async (run: Run, fakes: FakeActivities) => {
      await run.result();
      const trainedOn = fakes.inputsOf('trainRewardModel').map(({ model }) => model.path);
      expect(trainedOn).toEqual(['given', '2-1', '2-2', '4-1']);
      const inForce = fakes
        .inputsOf('score')
        .map(({ epoch, rewardModels }) => `${epoch} ${rewardModels!.teacher!.path}`);
      expect(new Set(inForce)).toEqual(
        new Set(['0 given', '1 given', '2 2-2', '3 2-2', '4 2-2', '5 2-2']),
      );
      const epochsOf = (verdicts: { epoch: number }[]) => verdicts.map(({ epoch }) => epoch);
      const compared = fakes.inputsOf('pairVerdicts').map(({ verdicts }) => epochsOf(verdicts));
      expect(compared).toEqual([[1], [2, 3], [4]]);
      const recorded = fakes.inputsOf('train').map((input) => epochsOf(input.refitting!.verdicts));
      expect(recorded).toEqual([[1], [2], [2, 3], [4], [5]]);
      const { refits } = await run.query(statusQuery);
      expect(refits).toMatchObject([
        { epoch: 2, accuracyBefore: 0.7, accuracyAfter: 0.8, inForce: true },
        { epoch: 4, accuracyBefore: 0.8, accuracyAfter: 0.75, inForce: false },
        { epoch: 5, pairs: 31, accuracyBefore: null, accuracyAfter: null, inForce: false },
      ]);
      const reported = fakes
        .inputsOf('analyze')
        .map((input) => input.refits?.map(({ epoch }) => epoch));
      expect(reported).toEqual([undefined, [], [2], [], [4], [5]]);
    };
    await withRun(replaced, body, { ...runFile, rewards, phases });
  });

  it('draws no greedy completions if evaluation.greedy is off', async () => {
    const body = async (run: Run, fakes: FakeActivities) => {
      await run.result();
      const splits = fakes.inputsOf('generate').map(({ split }) => split);
      expect(new Set(splits)).toEqual(new Set(['train', 'held-out']));
      // The start, and for each of three epochs the training samples and the held-out ones.
      expect(fakes.inputsOf('evaluate')).toHaveLength(7);
      const { metrics } = await run.query(statusQuery);
      expect(metrics.map((line) => line['eval/greedy/reward'])).toEqual([null, null, null, null]);
      expect(metrics.map((line) => line['eval/reward'])).toEqual([0.5, 0.5, 0.5, 0.5]);
    };
    await withRun({}, body, { ...runFile, evaluation: { ...runFile.evaluation, greedy: false } });
  });

  it('scores a shard while another is still being generated', async () => {
    const slow = gate();
    const generate: Activities['generate'] = async ({ shard, split, epoch }) => {
      if (epoch === 1 && split === 'train' && shard === 1) await slow.opened;
      return { path: `rollouts-${shard}`, sha256: '', bytes: 1 };
    };
    await withRun({ generate }, async (run, fakes) => {
      const scored = () => fakes.inputsOf('score').filter(({ split }) => split === 'train');
      while (scored().length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(scored().map(({ shard }) => shard)).toEqual([0]);
      slow.open();
      await run.result();
    });
  });

  it('shows its progress: child ids, search attributes, details', async () => {
    const training = gate();
    const fake = fakeActivities();
    const train: Activities['train'] = async (input) => {
      if (input.epoch === 1) await training.opened;
      return fake.train(input);
    };
    await withRun({ train }, async (run, fakes) => {
      const child = `${run.workflowId}/exploration/epoch-01`;
      const status = await until(run, () => fakes.inputsOf('train').length === 1);
      expect(status).toMatchObject({ state: 'running', epochWorkflowId: child });
      const { typedSearchAttributes } = await run.describe();
      expect(typedSearchAttributes.get(searchKeys.phase)).toBe('exploration');
      expect(typedSearchAttributes.get(searchKeys.epoch)).toBe(1);
      expect(typedSearchAttributes.get(searchKeys.reward)).toBe(0.5);
      const epoch = await env.client.workflow.getHandle(child).describe();
      expect(await epoch.staticSummary()).toBe('Epoch 1, exploration');
      const { currentDetails } = await run.query<{ currentDetails: string }>(
        '__temporal_workflow_metadata',
      );
      expect(currentDetails).toContain('**exploration**, epoch **1** of 1–3 · running');
      training.open();
      await run.result();
    });
  });
});

describe('a live run', () => {
  it('pauses after the epoch in progress, and continues when resumed', async () => {
    const training = gate();
    const fake = fakeActivities();
    const train: Activities['train'] = async (input) => {
      await training.opened;
      return fake.train(input);
    };
    await withRun({ train }, async (run, fakes) => {
      await until(run, ({ epochWorkflowId }) => epochWorkflowId !== null);
      expect((await run.executeUpdate(pauseUpdate)).state).toBe('paused');
      training.open();
      const paused = await until(run, ({ epochWorkflowId }) => epochWorkflowId === null);
      expect(paused).toMatchObject({ state: 'paused', epoch: 1 });
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(fakes.inputsOf('train')).toHaveLength(1);
      expect((await run.executeUpdate(resumeUpdate)).state).toBe('running');
      expect((await run.result()).epochs).toBe(3);
    });
  });

  it('stops after the epoch in progress, even if it is paused', async () => {
    await withRun({}, async (run) => {
      await run.executeUpdate(pauseUpdate);
      await run.executeUpdate(stopUpdate);
      const result = await run.result();
      expect(result.stoppedEarly).toBe(true);
      expect(result.epochs).toBeLessThan(3);
    });
  });

  it('applies an adjustment from the next epoch on', async () => {
    const fake = fakeActivities();
    const training = gate();
    const train: Activities['train'] = async (input) => {
      await training.opened;
      return fake.train(input);
    };
    await withRun({ train }, async (run, fakes) => {
      await until(run, ({ epochWorkflowId }) => epochWorkflowId !== null);
      await run.executeUpdate(adjustUpdate, { args: [{ rlaif: { kl_penalty: 0.5 } }] });
      await run.executeUpdate(adjustUpdate, { args: [{ training: { learning_rate: 0.25 } }] });
      training.open();
      await run.result();
      const inForce = fakes
        .inputsOf('train')
        .map(({ settings }) => [settings.rlaif.kl_penalty, settings.training.learning_rate]);
      expect(inForce).toEqual([
        [0.05, 1e-4],
        [0.5, 0.25],
        [0.5, 0.25],
      ]);
    });
  });

  it('runs for many epochs with short histories, and handles messages meanwhile', async () => {
    const phases = [{ name: 'only', epochs: [1, 40] }];
    const body = async (run: Run, fakes: FakeActivities) => {
      const rates: number[] = [];
      for (let epoch = 0; epoch < 35; ) {
        const learning_rate = (rates.length + 1) / 1000;
        const change = { training: { learning_rate } };
        const at = (await run.executeUpdate(adjustUpdate, { args: [change] })).epoch ?? 0;
        rates.push(learning_rate);
        // The epoch after the one in progress is trained with it.
        epoch = (await until(run, (status) => (status.epoch ?? 0) > at + 1)).epoch!;
      }
      await run.result();
      const trained = fakes
        .inputsOf('train')
        .map(({ settings }) => settings.training.learning_rate);
      expect(trained).toHaveLength(40);
      expect(trained).toEqual(expect.arrayContaining(rates));
      const lengths = await historyLengths(run.workflowId, fakes.inputsOf('prepare')[0]!.execution);
      expect(lengths.length).toBeGreaterThan(5);
      expect(Math.max(...lengths)).toBeLessThan(150);
      for (const epoch of [1, 40])
        expect(await historyLengths(epochWorkflowId(run.workflowId, 'only', epoch))).toSatisfy(
          ([length]) => length < 150,
        );
    };
    await withRun({}, body, { ...runFile, phases });
  });

  it('refuses an adjustment with the reason, and continues unchanged', async () => {
    const checkChange = async () => {
      throw anError('InvalidConfig', 'adjust: rlaif.kl_penalty: expected at least 0, found -1');
    };
    await withRun({ checkChange }, async (run, fakes) => {
      const adjust = (change: object) => run.executeUpdate(adjustUpdate, { args: [change] });
      await expect(adjust({ rlaif: { kl_penalty: -1 } })).rejects.toSatisfy(
        (error) =>
          error instanceof WorkflowUpdateFailedError &&
          error.cause?.message === 'adjust: rlaif.kl_penalty: expected at least 0, found -1',
      );
      await expect(adjust({ kl_penalty: 1 })).rejects.toSatisfy((error) =>
        error.cause.message.startsWith('adjust: expected {"rlaif"'),
      );
      await run.result();
      expect(fakes.inputsOf('checkChange')).toHaveLength(1);
      expect(fakes.inputsOf('train').at(-1)!.settings.rlaif.kl_penalty).toBe(0.1);
    });
  });
});

describe('messages that are not valid', () => {
  it('are refused if they are updates, one after the other', async () => {
    const { checkChange } = createActivities({ runsDir: tmpdir(), models: createModelDouble([]) });
    await withRun({ checkChange }, async (run) => {
      await run.executeUpdate(pauseUpdate);
      const adjust = (change: object) => run.executeUpdate(adjustUpdate, { args: [change] });
      const message = (text: string) =>
        expect.objectContaining({
          cause: expect.objectContaining({ message: expect.stringContaining(text) }),
        });
      await expect(adjust({ rlaif: { num_samples_per_prompt: 1e9 } })).rejects.toEqual(
        message(
          'num_samples_per_prompt: expected a whole number above 0 and at most 10000, found 1000000000',
        ),
      );
      await expect(adjust({ rlaif: { kl_penality: 1 } })).rejects.toEqual(
        message("mean 'kl_penalty'"),
      );
      // Each is valid by itself.
      const both = await Promise.allSettled([
        adjust({ training: { batch_size: 48 } }),
        adjust({ training: { microbatch_size: 32 } }),
      ]);
      expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      await run.executeUpdate(resumeUpdate);
      await run.result();
    });
  });

  it('are ignored with a note if they are signals', async () => {
    const started = gate();
    const fake = fakeActivities();
    const train: Activities['train'] = async (input) => {
      if (input.epoch === 1) await started.opened;
      return fake.train(input);
    };
    await withRun({ train }, async (run, fakes) => {
      while (fakes.inputsOf('train').length === 0) await until(run, () => true);
      const epoch = env.client.workflow.getHandle(
        epochWorkflowId(run.workflowId, 'exploration', 1),
      );
      await epoch.signal('goOn', 'often');
      const details = async () =>
        (await epoch.query<{ currentDetails: string }>('__temporal_workflow_metadata'))
          .currentDetails;
      expect(await details()).toBe(
        '**Ignored** the signal goOn: expected a whole number from 0 to 100000, found "often"',
      );
      await epoch.signal('pause');
      expect(await details()).toBe('**Ignored** the signal pause: an epoch has no such signal');
      await run.signal('judgeStopped', { reason: 1 });
      await run.signal('pause');
      const { ignored, state } = await until(run, (status) => status.ignored?.length === 2);
      expect(ignored).toEqual([
        'signal judgeStopped: expected a reason of at most 10000 characters, found {"reason":1}',
        expect.stringMatching(/^signal pause: a run has no such signal; .* are updates$/),
      ]);
      expect(state).toBe('running');
      started.open();
      expect((await run.result()).epochs).toBe(3);
    });
  });
});

describe('the largest run file', () => {
  const phases = ['a', 'b', 'c'].map((name, i) => ({
    name: name.repeat(255),
    epochs: [2 * i, 2 * i + 1],
  }));
  const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
  const sized = (bytes: number) => {
    const file = (text: string) => {
      const rlaif = { ...runFile.rlaif, stop_strings: [text] };
      return { ...resolveConfig({ ...runFile, rlaif, phases }), name: `large-${++lastId}` };
    };
    return file('é'.repeat(Math.floor((bytes - bytesOf(file('é'))) / 2)));
  };

  it('is one that a run can carry from execution to execution', async () => {
    await withWorkers({}, async (fakes) => {
      const config = sized(mostSettingsBytes);
      expect(bytesOf(config)).toBeGreaterThan(mostSettingsBytes - 50);
      await startRun(env.client, config);
      const run = env.client.workflow.getHandle<typeof trainingRun>(config.name);
      expect((await run.result()).epochs).toBe(6);
      const { execution } = fakes.inputsOf('prepare')[0]!;
      expect((await historyLengths(config.name, execution)).length).toBeGreaterThan(1);
    });
  });

  it('is not started if it is larger', async () => {
    await expect(startRun(env.client, sized(mostSettingsBytes + 100))).rejects.toThrow(
      /^run 'large-\d+': rlaif\.stop_strings\.0: expected at most 160000 bytes/,
    );
  });
});

describe('failures', () => {
  it('ends at once, with a plain message, for a run file that cannot work', async () => {
    const prepare = async () => {
      throw anError('InvalidConfig', 'run file: 1 problem\n  phases: …');
    };
    await withRun({ prepare }, async (run, fakes) => {
      await expect(run.result()).rejects.toMatchObject({
        cause: { message: 'run file: 1 problem\n  phases: …', type: 'InvalidConfig' },
      });
      expect(fakes.calls).toHaveLength(1);
    });
  });

  it('reruns an epoch whose files were damaged', async () => {
    let damages = 0;
    const filter: Activities['filter'] = async (input) => {
      if (input.epoch === 1 && damages++ === 0) throw anError('DamagedArtifact', 'scored is gone');
      return fakeActivities().filter(input);
    };
    await withRun({ filter }, async (run, fakes) => {
      expect((await run.result()).epochs).toBe(3);
      const generated = fakes.inputsOf('generate').filter((input) => input.split === 'train');
      expect(generated.filter(({ epoch }) => epoch === 1)).toHaveLength(4);
      const remade = [{ epoch: 1, problem: 'scored is gone' }];
      expect(await run.query(statusQuery)).toMatchObject({ state: 'completed', remade });
      const { currentDetails } = await run.query<{ currentDetails: string }>(
        '__temporal_workflow_metadata',
      );
      expect(currentDetails).toContain('Epoch 1 was rerun: scored is gone');
    });
  });

  it('says what is damaged if rerunning does not repair it', async () => {
    const train = async () => {
      throw anError('DamagedArtifact', 'checkpoints/start is damaged');
    };
    await withRun({ train }, async (run, fakes) => {
      await expect(run.result()).rejects.toMatchObject({
        cause: { message: 'checkpoints/start is damaged', type: 'DamagedArtifact' },
      });
      expect(fakes.inputsOf('train')).toHaveLength(3);
    });
  });

  it('waits if a judge stops it, says why, and asks again when resumed', async () => {
    const message = "rewards: the budget of 'judge' is spent.";
    // Once while the start is evaluated, and once in an epoch, for all of its shards at once.
    const resumesNeeded: Record<number, number> = { 0: 1, 2: 2 };
    const score: Activities['score'] = async (input) => {
      const { epoch, resumes = 0 } = input;
      if (resumes < (resumesNeeded[epoch] ?? 0))
        throw toFailure(new AnnealError('JudgeStopped', message), new AbortController().signal);
      return fakeActivities().score(input);
    };
    await withRun({ score }, async (run, fakes) => {
      for (const measured of [0, 2]) {
        const status = await until(run, ({ stopped }) => stopped !== null);
        expect(status).toMatchObject({ state: 'paused', stopped: message });
        expect(status.metrics).toHaveLength(measured);
        expect((await run.executeUpdate(resumeUpdate)).stopped).toBeNull();
      }
      await run.result();
      expect(fakes.inputsOf('score').at(-1)?.resumes).toBe(2);
    });
  });

  describe('is stopped while a judge holds it', () => {
    const held: (heldEpoch: number) => Activities['score'] = (heldEpoch) => async (input) => {
      if (input.epoch >= heldEpoch && !input.resumes)
        throw toFailure(new AnnealError('JudgeStopped', 'spent'), new AbortController().signal);
      return fakeActivities().score(input);
    };

    it.each([
      ['the start is measured', 0, 0],
      ['in its first epoch', 1, 0],
      ['in a later epoch', 2, 1],
    ])('and ends: %s', async (_, heldEpoch, epochs) => {
      await withRun({ score: held(heldEpoch) }, async (run) => {
        await until(run, ({ stopped }) => stopped !== null);
        await run.executeUpdate(stopUpdate);
        expect(await run.result()).toMatchObject({ epochs, stoppedEarly: true });
      });
    });

    it('and ends if it was stopped before', async () => {
      const generating = gate();
      const generate: Activities['generate'] = async (input) => {
        if (input.epoch > 0) await generating.opened;
        return fakeActivities().generate(input);
      };
      await withRun({ generate, score: held(1) }, async (run) => {
        await until(run, ({ epochWorkflowId }) => epochWorkflowId !== null);
        expect((await run.executeUpdate(stopUpdate)).state).toBe('stopping');
        generating.open();
        expect(await run.result()).toMatchObject({ epochs: 0, stoppedEarly: true });
      });
    });
  });

  it('retries failures that may be temporary', async () => {
    let failures = 0;
    const score: Activities['score'] = async (input) => {
      if (failures++ === 0) throw new Error('a disk was full');
      return fakeActivities().score(input);
    };
    await withRun({ score }, async (run) => {
      expect((await run.result()).epochs).toBe(3);
    });
  });

  it('is cancelled together with its current activities', async () => {
    const cancelled = gate();
    const train: Activities['train'] = async () => {
      const beat = setInterval(() => Context.current().heartbeat(), 100);
      try {
        return await Context.current().cancelled;
      } finally {
        clearInterval(beat);
        cancelled.open();
      }
    };
    await withRun({ train }, async (run, fakes) => {
      while (fakes.inputsOf('train').length === 0) await until(run, () => true);
      await run.cancel();
      await cancelled.opened;
      await expect(run.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    });
  });
});

/** Work that goes on until its workflow has ended. */
async function untilCancelled(): Promise<never> {
  const beat = setInterval(() => Context.current().heartbeat(), 100);
  try {
    return await Context.current().cancelled;
  } finally {
    clearInterval(beat);
  }
}

describe('a run that ends without completing', () => {
  /** How the run ends, by its own account, by the server's, and by `anneal status`. */
  async function endsAs(
    how: (run: Run) => Promise<unknown>,
    expected: { state: string; failure: unknown },
    train: Activities['train'] = untilCancelled,
  ): Promise<void> {
    await withRun({ train }, async (run, fakes) => {
      while (fakes.inputsOf('train').length === 0) await until(run, () => true);
      await how(run);
      await expect(run.result()).rejects.toThrow();
      const { status } = await observeRun(env.client, run.workflowId, null);
      expect(status).toMatchObject(expected);
      const look = (...flags: string[]) =>
        statusOf(run.workflowId, tmpdir(), env.address, ...flags);
      const text = await look();
      const { failure, state } = status;
      expect(text).toContain(`state   ${state.replace('_', ' ')}: ${failure}\n`);
      expect(JSON.parse(await look('--json'))).toMatchObject(expected);
    });
  }
  const nothing = async () => {};

  it('fails: the reason of its activity', async () => {
    const failure = 'the loss is NaN. Lower it.';
    const train = async () => {
      throw anError('InvalidConfig', failure);
    };
    await endsAs(nothing, { state: 'failed', failure }, train);
  });

  it('fails: its epoch was terminated', async () => {
    const terminate = (run: Run) =>
      env.client.workflow
        .getHandle(epochWorkflowId(run.workflowId, 'exploration', 1))
        .terminate('by hand');
    const failure = expect.stringMatching(
      /^workflow 'run-\d+\/exploration\/epoch-01': it was term/,
    );
    await endsAs(terminate, { state: 'failed', failure });
  });

  it('is terminated: the reason that was given', async () => {
    const failure = 'it was terminated: too expensive';
    await endsAs((run) => run.terminate('too expensive'), { state: 'terminated', failure });
  });

  it('is cancelled', async () => {
    const failure = expect.stringContaining('it was cancelled on request');
    await endsAs((run) => run.cancel(), { state: 'cancelled', failure });
  });

  it('exceeds the time limit that it was started with', async () => {
    await withWorkers({ train: untilCancelled }, async () => {
      const run = await env.client.workflow.start<typeof trainingRun>('trainingRun', {
        workflowId: `run-${++lastId}`,
        taskQueue: taskQueues.workflows,
        args: [runFile],
        workflowExecutionTimeout: '3 seconds',
      });
      await expect(run.result()).rejects.toThrow();
      const { status } = await observeRun(env.client, run.workflowId, null);
      expect(status).toMatchObject({
        state: 'timed_out',
        failure: 'it ran longer than its time limit',
      });
    });
  });

  it('shows why in the Web UI', async () => {
    const train = async () => {
      throw anError('InvalidConfig', 'the loss is NaN');
    };
    await withRun({ train }, async (run) => {
      await expect(run.result()).rejects.toThrow();
      const { currentDetails } = await run.query<{ currentDetails: string }>(
        '__temporal_workflow_metadata',
      );
      expect(currentDetails).toContain('· failed\n\n**Not completed.** the loss is NaN');
    });
  });
});

describe('an experiment', () => {
  it('starts its runs a few at a time, and continues if one fails', async () => {
    let live = 0;
    let most = 0;
    const { prepare, evaluate } = fakeActivities({});
    const replaced: Partial<Activities> = {
      prepare: async (input) => {
        if (input.run === 'grid-b') throw anError('InvalidConfig', 'no such model');
        most = Math.max(most, ++live);
        return prepare(input);
      },
      evaluate: async (input) => {
        if (input.epoch === 3) live--;
        return evaluate(input);
      },
    };
    await withWorkers(replaced, async () => {
      const runs = ['grid-a', 'grid-b', 'grid-c', 'grid-d'].map((id) => ({ id, file: runFile }));
      const outcomes = await env.client.workflow.execute<typeof experiment>('experiment', {
        workflowId: 'grid',
        taskQueue: taskQueues.workflows,
        args: [{ runs, concurrency: 2 }],
      });
      expect(outcomes).toEqual([
        { id: 'grid-a', failure: null },
        { id: 'grid-b', failure: expect.stringContaining('no such model') },
        { id: 'grid-c', failure: null },
        { id: 'grid-d', failure: null },
      ]);
      expect(most).toBe(2);
      const look = (...flags: string[]) => statusOf('grid', tmpdir(), env.address, ...flags);
      expect(await look()).toMatch(/^state {3}completed\nfailed {2}grid-b: .*no such model$/m);
      expect(JSON.parse(await look('--json'))).toMatchObject({
        state: 'completed',
        runs: outcomes,
      });
    });
  });
});
