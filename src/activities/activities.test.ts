// The activities in the order of an epoch, with a model service that needs no model. The integration
// suite uses the real one.

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger, type LogEntry } from '@temporalio/worker';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeJsonl, encodeJsonl } from '../artifacts/jsonl.ts';
import { settingsAt } from '../config/schedule.ts';
import type { PreferencePair, Prompt } from '../records/prompts.ts';
import type { ArtifactRef } from '../records/refs.ts';
import type { Rollout, ScoredRollout } from '../records/rollouts.ts';
import type { DroppedSample } from '../rl/batch.ts';
import type { TrainSample } from '../rl/policy/job.ts';
import type { Activities, RunPlan, Split, Trained, TrainInput } from './contract.ts';
import { createActivities } from './index.ts';
import { createModelDouble } from './model-double.fixture.ts';
import type { RewardModelActivities } from './reward-model/contract.ts';

const prompts = ['a', 'b', 'c', 'd'].map(
  (id): Prompt => ({
    id,
    prompt: `/** Doubles ${id}. */`,
    entry: 'twice',
    language: 'javascript',
    tests: [
      { args: [2], returns: 4 },
      { args: [0], returns: 0 },
    ],
    reference:
      '/**\n * Doubles x.\n * @param x a number\n * @returns twice x\n */\nfunction twice(x) {\n  return 2 * x;\n}\n',
  }),
);

let folder: string;
let models: ReturnType<typeof createModelDouble>;
type All = Activities & RewardModelActivities;
let activities: All;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-activities-'));
  await writeFile(at('train.jsonl'), encodeJsonl(prompts.slice(0, 3)));
  await writeFile(at('held-out.jsonl'), encodeJsonl(prompts.slice(3)));
  await mkdir(at('policy'));
  await writeFile(at('policy/model.safetensors'), 'weights at the start');
  models = createModelDouble(prompts);
  activities = createActivities({ runsDir: at('runs'), allowPaths: [folder], models });
});
afterEach(() => rm(folder, { recursive: true }));

const at = (path: string) => join(folder, path);
const inRun = (path: string) => at(`runs/test/${path}`);
const runFile = () => ({
  model: { path: at('policy') },
  prompts: { train: at('train.jsonl'), held_out: at('held-out.jsonl') },
  rlaif: { prompts_per_epoch: 3, num_samples_per_prompt: 3 },
  evaluation: { prompts: 1, num_samples_per_prompt: 3 },
  engine: { shard_prompts: 2 },
  phases: [{ name: 'only', epochs: [5, 9] }],
});

const judgedBy = (model: string) => ({
  rewards: [
    { kind: 'reward_model', name: 'judge', path: at(model) },
    { kind: 'rubric', weight: 0 },
  ],
});

function call<K extends keyof All>(name: K, input: Parameters<All[K]>[0]): ReturnType<All[K]> {
  const env = new MockActivityEnvironment({ activityType: name }, { logger });
  return env.run(() => activities[name](input as never)) as ReturnType<All[K]>;
}
const logger = new DefaultLogger('ERROR');

const prepare = (file: unknown = runFile(), run = 'test', execution = 'x') =>
  call('prepare', { run, execution, file });

async function sample(plan: RunPlan, split: Split, policy = plan.policy, epoch = 5) {
  const { seed, engine, rewards } = plan.config;
  const { rewardModels } = plan;
  const promptFormat = plan.config.model.prompt_format;
  const take = split === 'train' ? 3 : 1;
  const shards = split === 'train' ? [0, 1] : [0];
  const scored = [];
  for (const shard of shards) {
    const prompts = plan.prompts[split === 'train' ? 'train' : 'held-out'];
    const input = { run: 'test', epoch, split, shard, prompts };
    const draw = { temperature: 1, topK: null, topP: 1, minP: 0 };
    const how = { take, promptFormat, samplesPerPrompt: 3, draw, maxNewTokens: 9, stopStrings: [] };
    const rollouts = await call('generate', { ...input, ...how, policy, seed, engine });
    const scoring = { ...input, rollouts, rewards, rewardModels, engine };
    scored.push(await call('score', { ...scoring, promptFormat }));
  }
  return scored;
}

/** The stages of an epoch, in order. */
async function runEpoch(plan: RunPlan, epoch = 5, change: Partial<TrainInput> = {}) {
  const { settings } = settingsAt(plan.config, epoch);
  const { policy = plan.policy, reference = plan.reference } = change;
  const { seed, engine, success } = plan.config;
  const scored = await sample(plan, 'train', policy, epoch);
  const { rlaif } = settings;
  const filterInput = { run: 'test', epoch, prompts: plan.prompts.train, scored, rlaif };
  const batch = await call('filter', filterInput);
  const trainInput: TrainInput = {
    run: 'test',
    epoch,
    policy,
    reference,
    batch: batch.samples,
    promptFormat: plan.config.model.prompt_format,
    settings,
    lora: null,
    seed,
    engine,
    freshOptimizer: false,
    ...change,
  };
  const trained = await call('train', trainInput);
  const heldOut = await sample(plan, 'held-out', trained.policy, epoch);
  const evaluation = await call('evaluate', { run: 'test', epoch, scored: heldOut });
  const samples = await call('evaluate', { run: 'test', epoch, scored });
  const training = { samples, counts: batch.counts, stats: trained.stats, settings };
  const analyzeInput = { run: 'test', epoch, phase: 'only', training, evaluation, success };
  const metrics = await call('analyze', analyzeInput);
  return { scored, batch, trainInput, trained, analyzeInput, metrics };
}

/** Sample an epoch and let the filter list its scored shards. */
async function verdictsOf(plan: RunPlan, epoch: number) {
  const scored = await sample(plan, 'train', plan.policy, epoch);
  const { rlaif } = plan.config;
  const input = { run: 'test', epoch, prompts: plan.prompts.train, scored, rlaif };
  const { verdicts } = await call('filter', { ...input, listVerdicts: true });
  return { epoch, shards: verdicts! };
}

async function measureStart(plan: RunPlan) {
  const scored = await sample(plan, 'held-out', plan.policy, 4);
  const evaluation = await call('evaluate', { run: 'test', epoch: 4, scored });
  const { success } = plan.config;
  const about = { run: 'test', epoch: 4, phase: 'start', training: null };
  return call('analyze', { ...about, evaluation, success });
}

const lines = async <T>(path: string) => decodeJsonl<T>(await readFile(inRun(path), 'utf8'), path);

it.each(['..', '../elsewhere', 'a/../../b', '/tmp/elsewhere', '.hidden', '', 'a/b'])(
  'no activity touches the folder of a run that is named %j',
  async (run) => {
    for (const name of Object.keys(activities) as (keyof All)[]) {
      const input = { run, file: runFile(), config: { ...runFile(), name: run } };
      await expect(call(name, input as never), name).rejects.toMatchObject({
        type: 'InvalidConfig',
        nonRetryable: true,
        message: expect.stringContaining(`found '${run}'`),
      });
    }
    expect((await readdir(folder)).sort()).toEqual(['held-out.jsonl', 'policy', 'train.jsonl']);
  },
);

describe('prepare', () => {
  it('says in the log what a model does not read', async () => {
    const logged: LogEntry[] = [];
    const unused = { tensors: ['score.weight'], keys: ['mystery'] };
    const reading = createModelDouble(prompts);
    const inspect: typeof reading.inspect = async (job) => ({
      ...(await reading.inspect(job)),
      unused,
    });
    const { prepare } = createActivities({
      runsDir: at('runs'),
      allowPaths: [folder],
      models: { ...reading, inspect },
    });
    const collect = new DefaultLogger('WARN', (entry) => void logged.push(entry));
    const env = new MockActivityEnvironment({ activityType: 'prepare' }, { logger: collect });
    await env.run(() => prepare({ run: 'test', execution: 'x', file: runFile() }));
    expect(logged).toMatchObject([{ level: 'WARN', meta: { model: at('policy'), ...unused } }]);
  });

  it("copies the run's inputs into its folder and refers to them by hash", async () => {
    const plan = await prepare();
    expect(plan.policy).toMatchObject({ path: 'checkpoints/start', epoch: 4, step: 0 });
    expect(plan.reference).toEqual(plan.policy);
    expect(plan.prompts.train).toMatchObject({ path: 'prompts/train.jsonl', count: 3 });
    expect(plan.config).toMatchObject({ name: 'test', rlaif: { kl_penalty: 0.1 } });
    expect(JSON.parse(await readFile(inRun('config.json'), 'utf8'))).toEqual(plan.config);
    expect(await readFile(inRun('checkpoints/start/model.safetensors'), 'utf8')).toBe(
      'weights at the start',
    );
    const manifest = JSON.parse(await readFile(inRun('manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({ run: 'test', policy: plan.policy, prompts: plan.prompts });
    expect(manifest.conditions.node).toBe(process.versions.node);
    expect(await prepare()).toEqual(plan);
  });

  it('requires a chat template if prompts are chats', async () => {
    const prompt_format = { kind: 'chat', system: 'Be brief.' };
    await writeFile(at('policy/chat_template.jinja'), '');
    const plan = await prepare({ ...runFile(), model: { path: at('policy'), prompt_format } });
    expect(plan.config.model.prompt_format).toEqual({
      ...prompt_format,
      prefill: '',
      fences: true,
    });
    await runEpoch(plan);
    expect(models.trained[0]!.promptFormat).toEqual(plan.config.model.prompt_format);
  });

  it('accepts a separate reference policy', async () => {
    await mkdir(at('other'));
    await writeFile(at('other/model.safetensors'), 'others');
    const file = { ...runFile(), model: { path: at('policy'), reference: at('other') } };
    expect((await prepare(file)).reference.path).toBe('checkpoints/reference');
  });

  it('copies reward models, and scores with the copies', async () => {
    await mkdir(at('judge'));
    await writeFile(at('judge/model.safetensors'), 'judge');
    const plan = await prepare({ ...runFile(), ...judgedBy('judge') });
    expect(plan.rewardModels!.judge!.path).toBe('checkpoints/reward-model-1');
    await rm(at('judge'), { recursive: true });
    const [scored] = await sample(plan, 'held-out');
    const rows = await lines<ScoredRollout>(scored!.path);
    const { value } = rows[0]!.rewards.judge!;
    expect(value).toBeGreaterThan(0);
    expect(rows[0]!.reward).toBe(value);
    expect(models.scored.every(({ model }) => model === inRun('checkpoints/reward-model-1'))).toBe(
      true,
    );
  });

  it.each<[string, (file: ReturnType<typeof runFile>) => unknown, string, RegExp]>([
    ['nothing', () => null, 'InvalidConfig', /expected a mapping/],
    ['an unknown key', (f) => ({ ...f, rlaf: {} }), 'InvalidConfig', /rlaif/],
    [
      'a missing model',
      (f) => ({ ...f, model: { path: at('no') } }),
      'InvalidConfig',
      /model\.path/,
    ],
    [
      'a chat with a model that has no template',
      (f) => ({ ...f, model: { ...f.model, prompt_format: { kind: 'chat' } } }),
      'InvalidModel',
      /expected a chat template in .*policy, found none/,
    ],
    ['no model', (f) => ({ ...f, model: { path: folder } }), 'InvalidModel', /found none/],
    [
      'too many prompts',
      (f) => ({ ...f, rlaif: { prompts_per_epoch: 4 } }),
      'InvalidConfig',
      /prompts_per_epoch \(phase 'only'\): expected at most 3, .* prompts\.train, found 4/,
    ],
    [
      'too many held-out prompts',
      (f) => ({ ...f, evaluation: { prompts: 2 } }),
      'InvalidConfig',
      /evaluation\.prompts: expected at most 1, .* found 2/,
    ],
    [
      "a phase's batches that do not divide",
      (f) => ({
        ...f,
        phases: [{ name: 'only', epochs: [5, 9], training: { microbatch_size: 7 } }],
      }),
      'InvalidConfig',
      /phase 'only'[\s\S]*microbatch_size \(7\)/,
    ],
    [
      "a ramp's batches that do not divide in an epoch of the phase",
      (f) => ({
        ...f,
        training: { batch_size: 4, microbatch_size: 2 },
        phases: [
          {
            name: 'only',
            epochs: [5, 9],
            training: { batch_size: { ramp: 'linear', from: 4, to: 8 } },
          },
        ],
      }),
      'InvalidConfig',
      /phase 'only', epoch 6[\s\S]*multiple of microbatch_size \(2\), found 5/,
    ],
    [
      'a folder that is not a reward model',
      (f) => ({ ...f, ...judgedBy('policy') }),
      'InvalidModel',
      /policy: expected a reward model, .* found double, a language model/,
    ],
    [
      'a folder that is not a checkpoint',
      (f) => ({ ...f, resume_from: at('policy') }),
      'InvalidModel',
      /resume_from/,
    ],
  ])('rejects %s and starts nothing', async (_, change, type, message) => {
    const failure = await prepare(change(runFile())).catch((error) => error);
    expect(failure).toMatchObject({ type, nonRetryable: true });
    expect(failure.message).toMatch(message);
    await expect(readdir(at('runs'))).rejects.toThrow('ENOENT');
  });

  it('reports the number of a broken line in a prompt file', async () => {
    await writeFile(at('train.jsonl'), `${encodeJsonl(prompts.slice(0, 2))}{"id": "c",\n`);
    await expect(prepare()).rejects.toMatchObject({
      type: 'InvalidData',
      message: expect.stringContaining('train.jsonl, line 3'),
    });
  });

  it('rejects an id that cannot name a folder', async () => {
    await expect(prepare(runFile(), '../escape')).rejects.toMatchObject({ type: 'InvalidConfig' });
  });

  it("does not touch another run's folder", async () => {
    await prepare();
    const before = await readFile(inRun('manifest.json'), 'utf8');
    await expect(prepare(runFile(), 'test', 'another')).rejects.toMatchObject({
      type: 'InvalidConfig',
      message: expect.stringContaining("another run named 'test'"),
    });
    expect(await readFile(inRun('manifest.json'), 'utf8')).toBe(before);
  });
});

describe('a run file that is too large for the server', () => {
  it('is refused by the rubric file that makes it so', async () => {
    const criteria = [{ name: 'one', description: 'x'.repeat(400_000) }];
    await writeFile(at('rubric.yaml'), JSON.stringify({ criteria }));
    const service = { kind: 'judge', base_url: 'http://127.0.0.1:1', model: 'm' };
    const rewards = [{ ...service, rubric: at('rubric.yaml') }];
    await expect(prepare({ ...runFile(), rewards })).rejects.toMatchObject({
      type: 'InvalidConfig',
      message: expect.stringMatching(
        /^run file: rewards\.0\.rubric\.criteria\.0\.description: expected at most 160000 bytes/,
      ),
    });
  });
});

describe('checkChange', () => {
  it('accepts a valid change, and names an invalid key', async () => {
    const { config } = await prepare();
    await call('checkChange', { config, change: { rlaif: { kl_penalty: 0.2 } } });
    for (const change of [
      { rlaif: { kl_penalty: -1 } },
      { training: { learning_rat: 1 } },
      { training: { batch_size: 63 } },
      { rlaif: { kl_penalty: { ramp: 'linear', from: 0, to: 1 } } },
      { rlaif: { num_samples_per_prompt: 1_000_000_000 } },
      { rlaif: { max_new_tokens: 2 ** 40 } },
      { rlaif: { top_p: 1.5 } },
      { training: { microbatch_size: 1e12, batch_size: 1e12 } },
      { training: { schedule: 'cosine' } },
    ])
      await expect(call('checkChange', { config, change: change as object })).rejects.toMatchObject(
        { type: 'InvalidConfig' },
      );
  });

  it('refuses more prompts than there are', async () => {
    const { config, prompts } = await prepare();
    const { count } = prompts.train;
    const change = (asked: number) => ({
      config,
      change: { rlaif: { prompts_per_epoch: asked } },
      prompts: count!,
    });
    await call('checkChange', change(count!));
    await expect(call('checkChange', change(count! + 1))).rejects.toThrow(
      `adjust: rlaif.prompts_per_epoch: expected at most ${count}, the number of prompts`,
    );
  });

  it('checks the change in every epoch of a phase with ramps', async () => {
    const training = { batch_size: { ramp: 'step', values: [32, 48] } };
    const phases = [{ name: 'only', epochs: [5, 9], training }];
    const { config } = await prepare({ ...runFile(), phases });
    const change = (size: number) => ({ config, change: { training: { microbatch_size: size } } });
    await call('checkChange', change(8));
    await expect(call('checkChange', change(32))).rejects.toThrow(/\(32\), found 48/);
  });
});

describe('an epoch', () => {
  it('records the settings of the epoch: numbers, even if the phase has ramps', async () => {
    const rlaif = { generation_temperature: { ramp: 'linear', from: 1.4, to: 1 } };
    const phases = [{ name: 'only', epochs: [5, 9], rlaif }];
    const { metrics } = await runEpoch(await prepare({ ...runFile(), phases }), 6);
    expect(metrics.settings?.rlaif).toMatchObject({ generation_temperature: 1.3, kl_penalty: 0.1 });
  });

  it('goes from prompts to a checkpoint and a line of metrics', async () => {
    const plan = await prepare();
    await measureStart(plan);
    const { batch, trained, metrics } = await runEpoch(plan);
    expect(batch.counts).toMatchObject({ scored: 9, missing: 0, kept: 9 });
    expect(trained.policy).toMatchObject({ path: 'checkpoints/epoch-05', epoch: 5, step: 9 });
    expect(metrics).toMatchObject({ epoch: 5, phase: 'only', samples: 9, loss: 0.5 });
    expect(metrics['eval/best_of_n_reward']).toBe(1);
    expect(await lines('metrics.jsonl')).toMatchObject([{ epoch: 4, phase: 'start' }, metrics]);
    expect(await readFile(inRun('reports/epoch-05.md'), 'utf8')).toContain('Epochs 4-5');
    expect(await readFile(inRun('report.md'), 'utf8')).toContain('Training Report');
  });

  it('scores the programs in the fences of answers, except in runs that predate them', async () => {
    const fenced = ({ text, ...rest }: Rollout) => ({
      ...rest,
      text: `Sure:\n\`\`\`js\n${text}\`\`\`\n`,
    });
    const generate: typeof models.generate = async (job) =>
      (await models.generate(job)).map(fenced);
    const rowsOf = async (plan: RunPlan) =>
      lines<ScoredRollout>((await sample(plan, 'held-out'))[0]!.path);
    const plan = await prepare();
    const [bare] = await rowsOf(plan);
    activities = createActivities({ runsDir: at('runs'), models: { ...models, generate } });
    const [row] = await rowsOf(plan);
    expect(row).toMatchObject({ reward: 1, program: bare!.program, text: fenced(bare!).text });
    const { prompt_format: _, ...model } = plan.config.model;
    const earlier = { ...plan.config, model: { ...model, prompt_format: undefined } };
    const old = await rowsOf({ ...plan, config: earlier as never });
    expect(old[0]!.reward).toBe(0);
  });

  it('trains on the samples with their prompts, tokens, rewards and advantages', async () => {
    await runEpoch(await prepare());
    const [job] = models.trained;
    const scored = [
      ...(await lines<ScoredRollout>('samples/epoch-05/scored-000.jsonl')),
      ...(await lines<ScoredRollout>('samples/epoch-05/scored-001.jsonl')),
    ];
    expect(job!.promptFormat).toEqual({ kind: 'plain', bos: false, fences: true });
    expect(new Set(scored.map(({ promptId }) => promptId))).toEqual(new Set(['a', 'b', 'c']));
    const byKey = new Map(scored.map((row) => [row.promptId + row.sample, row]));
    for (const sample of job!.samples) {
      const row = byKey.get(sample.promptId + sample.sample)!;
      expect(sample).toMatchObject({ tokens: row.tokens, reward: row.reward });
      expect(sample.prompt).toBe(`/** Doubles ${sample.promptId}. */`);
    }
    const total = job!.samples.reduce(
      (sum: number, { advantage }: TrainSample) => sum + advantage,
      0,
    );
    expect(total).toBeCloseTo(0, 10);
  });

  it('writes the advantages that training used, if they are not those of the batch', async () => {
    const withPlacement = async (kl_placement: string) =>
      runEpoch(await prepare({ ...runFile(), rlaif: { ...runFile().rlaif, kl_placement } }));
    const path = 'samples/epoch-05/advantages.jsonl';
    await withPlacement('k1_reward');
    expect(await lines(path)).toContainEqual({ promptId: 'a', sample: 0, advantage: 0.25 });
    await rm(inRun('.'), { recursive: true });
    await withPlacement('k2_loss');
    await expect(lines(path)).rejects.toThrow('ENOENT');
  });

  it('lists dropped samples with reasons', async () => {
    const rlaif = { ...runFile().rlaif, reward_threshold: 0.9 };
    const { batch } = await runEpoch(await prepare({ ...runFile(), rlaif }));
    const dropped = await lines<DroppedSample>('samples/epoch-05/dropped.jsonl');
    expect(dropped).toHaveLength(9 - batch.counts.kept);
    expect(new Set(dropped.map(({ reason }) => reason))).toEqual(new Set(['reward_threshold']));
  });

  it('leaves the same files when every activity runs twice', async () => {
    const plan = await prepare();
    const first = await runEpoch(plan);
    const snapshot = await readTree(inRun('.'));
    const second = await runEpoch(plan);
    expect(second).toEqual(first);
    expect(await readTree(inRun('.'))).toEqual(snapshot);
  });

  it('measures greedy completions besides those at the fixed temperature', async () => {
    const plan = await prepare();
    const { analyzeInput, metrics } = await runEpoch(plan);
    expect(metrics['eval/greedy/reward']).toBeNull();
    const scored = await sample(plan, 'greedy');
    expect(scored[0]).toMatchObject({ path: 'samples/epoch-05/greedy/scored-000.jsonl' });
    const greedy = await call('evaluate', { run: 'test', epoch: 5, scored });
    const both = await call('analyze', { ...analyzeInput, greedy });
    expect(both).toEqual({
      ...metrics,
      'eval/greedy/reward': greedy.reward,
      'eval/greedy/pass_rate': greedy.pass_rate,
    });
    expect(greedy.reward).not.toBeNull();
    expect(both['eval/distinct_programs']).toBeGreaterThan(0);
  });

  it('keeps the lines of other epochs when one is measured again', async () => {
    const plan = await prepare();
    const { trained, analyzeInput } = await runEpoch(plan);
    await runEpoch(plan, 6, { policy: trained.policy });
    const before = await lines('metrics.jsonl');
    await call('analyze', analyzeInput);
    expect(before.map((line) => (line as { epoch: number }).epoch)).toEqual([5, 6]);
    expect(await lines('metrics.jsonl')).toEqual(before);
  });

  it('puts a hundred epochs into an event file, and does not rewrite earlier files', async () => {
    const plan = await prepare({ ...runFile(), phases: [{ name: 'only', epochs: [98, 101] }] });
    const names = ['00000', '00100'].map((first) => `events.out.tfevents.${first}.anneal`);
    const contents = () => Promise.all(names.map((name) => readFile(inRun(`tensorboard/${name}`))));
    for (const epoch of [98, 99, 100]) await runEpoch(plan, epoch);
    const [early, late] = await contents();
    expect(early!.length).toBeGreaterThan(late!.length);
    const { analyzeInput } = await runEpoch(plan, 101);
    const [same, longer] = await contents();
    expect(same).toEqual(early);
    expect(longer!.length).toBeGreaterThan(late!.length);
    await rm(inRun('tensorboard'), { recursive: true });
    await call('analyze', analyzeInput);
    expect(await contents()).toEqual([early, longer]);
  });

  it('keeps the policy if no sample is left to train on', async () => {
    const plan = await prepare({
      ...runFile(),
      rlaif: { ...runFile().rlaif, reward_threshold: 1 },
    });
    const trainable = await runEpoch(plan);
    const empty = await call('filter', {
      run: 'test',
      epoch: 6,
      prompts: plan.prompts.train,
      scored: [],
      rlaif: plan.config.rlaif,
    });
    const train = (change: Partial<TrainInput>) =>
      call('train', {
        ...trainable.trainInput,
        epoch: 6,
        batch: empty.samples,
        policy: trainable.trained.policy,
        ...change,
      }) as Promise<Trained>;
    const { policy, stats } = await train({});
    expect(stats).toBeNull();
    expect(policy).toMatchObject({ epoch: 6, step: trainable.trained.policy.step });
    const files = ['model.safetensors', 'optimizer.safetensors'];
    for (const name of files)
      expect(await readFile(inRun(`checkpoints/epoch-06/${name}`), 'utf8')).toBe(
        await readFile(inRun(`checkpoints/epoch-05/${name}`), 'utf8'),
      );
    await train({ freshOptimizer: true });
    expect(await readdir(inRun('checkpoints/epoch-06'))).not.toContain('optimizer.safetensors');
  });

  it('rejects damaged rollouts, samples and checkpoints by name', async () => {
    const plan = await prepare();
    const { scored, trainInput } = await runEpoch(plan);
    const damage = (path: string) => writeFile(inRun(path), 'damaged');
    await damage(scored[0]!.path);
    await damage(`${plan.policy.path}/model.safetensors`);
    const { rlaif } = plan.config;
    await expect(
      call('filter', { run: 'test', epoch: 5, prompts: plan.prompts.train, scored, rlaif }),
    ).rejects.toMatchObject({
      type: 'DamagedArtifact',
      message: expect.stringContaining('scored-000'),
    });
    await expect(call('train', trainInput)).rejects.toMatchObject({
      type: 'DamagedArtifact',
      message: expect.stringContaining('checkpoints/start/model.safetensors'),
    });
  });
});

describe('environments', () => {
  const page = () => readFile(inRun('reports/epoch-05.md'), 'utf8');

  it('are not mentioned if they equal the one that the run started in', async () => {
    await runEpoch(await prepare());
    expect(await page()).not.toContain('## Conditions');
    expect(await readdir(inRun('.'))).not.toContain('conditions.jsonl');
  });

  it('are named in the reports if they differ, each difference once per epoch', async () => {
    const plan = await prepare();
    const manifest = JSON.parse(await readFile(inRun('manifest.json'), 'utf8'));
    manifest.conditions.processor = 'avx2 fma';
    await writeFile(inRun('manifest.json'), JSON.stringify(manifest));
    await runEpoch(plan);
    const notes = (text: string) => text.match(/^- Epoch 5 ran with .*$/gm);
    const note = expect.stringMatching(/processor '.*' instead of 'avx2 fma'\.$/);
    expect(notes(await page())).toEqual([note]);
    expect(notes(await readFile(inRun('report.md'), 'utf8'))).toEqual([note]);
  });
});

it('continues if the manifest is damaged, and reports it', async () => {
  const plan = await prepare();
  await writeFile(inRun('manifest.json'), '{"run"');
  const { trained } = await runEpoch(plan);
  expect(trained.policy.epoch).toBe(5);
  expect(await lines('damage.jsonl')).toContainEqual(
    expect.objectContaining({
      activity: 'train',
      problem: expect.stringContaining('manifest.json'),
    }),
  );
});

describe('prune', () => {
  it("deletes what the run's retention does not keep; reports what exists if a deleted file is needed", async () => {
    const plan = await prepare({ ...runFile(), retention: { keep_last: 1, keep_samples: 2 } });
    await measureStart(plan);
    const retention = plan.config.retention!;
    let policy = plan.policy;
    let fifth: typeof policy | undefined;
    for (const epoch of [5, 6, 7]) {
      policy = (await runEpoch(plan, epoch, { policy })).trained.policy;
      fifth ??= policy;
      await call('prune', { run: 'test', epoch, retention });
    }
    expect(await readdir(inRun('checkpoints'))).toEqual(['epoch-07', 'start']);
    expect(await readdir(inRun('samples'))).toEqual(['epoch-06', 'epoch-07']);
    expect(await lines('metrics.jsonl')).toHaveLength(4);
    await runEpoch(plan, 8, { policy });
    // An epoch that is rerun after a reset keeps its start and the later checkpoints.
    expect(await call('prune', { run: 'test', epoch: 7, retention })).toEqual([]);
    await expect(runEpoch(plan, 6, { policy: fifth! })).rejects.toMatchObject({
      type: 'DamagedArtifact',
      message: expect.stringMatching(
        /epoch-05 .*it is missing; existing checkpoints: epoch-07, epoch-08, start/,
      ),
    });
    const file = { ...runFile(), resume_from: inRun('checkpoints/epoch-05') };
    await expect(prepare(file, 'resumed')).rejects.toMatchObject({
      type: 'InvalidConfig',
      message: expect.stringMatching(
        /epoch-05', found none; checkpoints there: epoch-07, epoch-08/,
      ),
    });
  });

  it('deletes nothing if it cannot read what a checkpoint needs, and reports it', async () => {
    const retention = { keep_last: 1, keep_best: null, keep_every: null, keep_samples: 1 };
    const plan = await prepare();
    let { policy } = plan;
    for (const epoch of [5, 6]) policy = (await runEpoch(plan, epoch, { policy })).trained.policy;
    await writeFile(inRun('checkpoints/epoch-06/trainer_state.json'), '{}');
    expect(await call('prune', { run: 'test', epoch: 6, retention })).toEqual([]);
    expect(await readdir(inRun('checkpoints'))).toEqual(['epoch-05', 'epoch-06', 'start']);
    expect(await lines('damage.jsonl')).toMatchObject([
      { activity: 'prune', problem: expect.stringContaining('epoch-06/trainer_state.json') },
    ]);
  });
});

describe('pairVerdicts', () => {
  it("compares by the judge's values in all epochs, each pair once", async () => {
    const plan = await prepare();
    const verdicts = [await verdictsOf(plan, 5), await verdictsOf(plan, 6)];
    const input = {
      ...{ run: 'test', seed: 1, prompts: plan.prompts.train, verdicts },
      refit: { epoch: 7, index: 0 },
      ...{ judge: 'rubric', pairsPerGroup: 4, minDifference: 0.1, includeBroken: false },
      heldOutShare: 0.3,
    };
    const { train, heldOut } = await call('pairVerdicts', input);
    expect(train).toMatchObject({
      path: 'refits/epoch-07/reward-model-1/pairs/train.jsonl',
      count: 2,
    });
    const pairs = [
      ...(await lines<PreferencePair>(train.path)),
      ...(await lines<PreferencePair>(heldOut.path)),
    ];
    const better = prompts.slice(0, 3).map(({ id, reference }) => [id, reference]);
    expect(pairs.map(({ id, chosen }) => [id, chosen]).toSorted()).toEqual(better);
    expect(pairs.every(({ rejected }) => rejected === 'function twice() {}')).toBe(true);
    const nobody = await call('pairVerdicts', { ...input, judge: 'nobody' });
    expect([nobody.train.count, nobody.heldOut.count]).toEqual([0, 0]);
  });
});

describe('resume_from', () => {
  it("continues another run's epoch as that run did: same files, same names", async () => {
    const plan = await prepare();
    await measureStart(plan);
    const fifth = await runEpoch(plan);
    const sixth = await runEpoch(plan, 6, { policy: fifth.trained.policy });
    const there = await readTree(inRun('.'));

    const file = { ...runFile(), resume_from: inRun('checkpoints/epoch-05') };
    activities = createActivities({ runsDir: at('resumed'), allowPaths: [folder], models });
    const resumed = await prepare(file);
    expect(resumed.policy).toEqual(fifth.trained.policy);
    expect(resumed.reference).toEqual(plan.reference);
    expect(resumed.history.map(({ epoch }) => epoch)).toEqual([4, 5]);
    const again = await runEpoch(resumed, 6, { policy: resumed.policy });
    expect(again.trained).toEqual(sixth.trained);
    const here = await readTree(at('resumed/test'));
    for (const name of ['metrics.jsonl', 'checkpoints/epoch-06/checkpoint.json'])
      expect(here[name]).toBe(there[name]);
  });

  it('passes on as much of a long history as a run holds, and keeps all of it in its file', async () => {
    const phases = [{ name: 'only', epochs: [300, 301] }];
    const plan = await prepare({ ...runFile(), phases });
    await measureStart(plan);
    const { metrics } = await runEpoch(plan, 300);
    const all = Array.from({ length: 301 }, (_, epoch) => ({ ...metrics, epoch }));
    await writeFile(inRun('metrics.jsonl'), encodeJsonl(all));
    await rm(inRun('.copies/metrics.jsonl'));
    const resume_from = inRun('checkpoints/epoch-300');
    const { history } = await prepare({ ...runFile(), phases, resume_from }, 'next');
    expect(history.map(({ epoch }) => epoch)).toEqual([
      0,
      ...all.slice(201).map(({ epoch }) => epoch),
    ]);
    const kept = await readFile(at('runs/next/metrics.jsonl'), 'utf8');
    expect(kept.trim().split('\n')).toHaveLength(301);
  });

  it('measures the start again if the other run left no metrics', async () => {
    await runEpoch(await prepare());
    await rm(inRun('metrics.jsonl'));
    await rm(inRun('.copies/metrics.jsonl'));
    const file = { ...runFile(), resume_from: inRun('checkpoints/epoch-05') };
    expect((await prepare(file, 'resumed')).history).toEqual([]);
  });

  describe('of a run that refits a reward model', () => {
    const refit = { judge: 'rubric' };
    const refitting = { kind: 'reward_model', name: 'teacher', refit };
    const rewards = () => [
      { kind: 'reward_model', name: 'other', path: at('judge') },
      { ...refitting, path: at('judge') },
      { kind: 'rubric', weight: 0 },
    ];
    const phases = [
      { name: 'first', epochs: [5, 5] },
      { name: 'second', epochs: [6, 9] },
    ];
    const resumed = (changes: object = {}) => {
      const resume_from = inRun('checkpoints/epoch-06');
      return prepare({ ...runFile(), phases, rewards: rewards(), resume_from, ...changes }, 'next');
    };

    /** A run whose epoch 6 ends with a different model from the one it was given. */
    async function runToEpoch6() {
      await mkdir(at('judge'));
      await writeFile(at('judge/model.safetensors'), 'judge');
      const plan = await prepare({ ...runFile(), phases, rewards: rewards() });
      const { other } = plan.rewardModels!;
      const verdicts = [await verdictsOf(plan, 5), await verdictsOf(plan, 6)];
      await runEpoch(plan, 6, {
        refitting: { rewardModels: { teacher: other!, other: other! }, verdicts },
      });
      return { plan, verdicts, inForce: other! };
    }

    it("takes over its reward models and the scored shards of the epoch's phase", async () => {
      const { plan, verdicts, inForce } = await runToEpoch6();
      expect(plan.verdicts).toEqual([]);
      const onlyTeacher = [rewards()[1], rewards()[2]];
      await writeFile(at('judge/model.safetensors'), 'judge of another kind');
      const next = await resumed({ rewards: onlyTeacher });
      expect(next.rewardModels).toEqual({ teacher: inForce });
      expect(next.verdicts).toEqual([verdicts[1]]);
      const copies = await readTree(at('runs/next'));
      expect(copies[`${inForce.path}/model.safetensors`]).toBe('judge');
      const { path } = verdicts[1]!.shards;
      for (const file of [path, ...(await lines<ArtifactRef>(path)).map((shard) => shard.path)])
        expect(copies[file]).toBe(await readFile(inRun(file), 'utf8'));
      expect(Object.keys(copies).filter((name) => name.startsWith('samples/'))).toHaveLength(3);
    });

    it('rejects an order of reward models in which two would share a path', async () => {
      await runToEpoch6();
      await expect(resumed()).rejects.toMatchObject({
        type: 'InvalidConfig',
        message: expect.stringMatching(
          /in the same order as in the earlier run, found other, teach/,
        ),
      });
    });
  });

  it('rejects a checkpoint if the run does not have the next epoch', async () => {
    await runEpoch(await prepare());
    const phases = [{ name: 'only', epochs: [9, 9] }];
    const file = { ...runFile(), phases, resume_from: inRun('checkpoints/epoch-05') };
    await expect(prepare(file, 'resumed')).rejects.toMatchObject({
      type: 'InvalidConfig',
      message: expect.stringContaining('epoch 5'),
    });
  });
});

/** Every file of a folder except the timings, which always differ. */
async function readTree(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name !== 'timings.jsonl');
  const read = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name);
    return [path.slice(join(root, '/').length), await readFile(path, 'utf8')] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}
