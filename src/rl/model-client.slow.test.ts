// The model process with the embedded policy: sampling, training, and how it ends.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveInput } from '../config/paths.ts';
import { rlaifSchema } from '../config/schema/rlaif.ts';
import { trainingSchema } from '../config/schema/training.ts';
import type { GenerateJob } from '../engine/inference/jobs.ts';
import { createModelClient } from './model-client.ts';
import type { TrainJob } from './policy/job.ts';

const engine = { device: 'cpu', threads: 2, shard_prompts: 8 } as const;
const model = resolveInput('models/policy', 'model.path');
const prompts = ['lower', 'sum', 'longest'].map((id) => ({
  id,
  prompt: `// Return the ${id} of values.\n// ${id}(values)\n`,
}));
const generate: GenerateJob = {
  engine,
  model,
  prompts,
  promptFormat: { kind: 'plain', bos: false },
  samplesPerPrompt: 4,
  draw: { temperature: 1, topK: null, topP: 1, minP: 0 },
  maxNewTokens: 48,
  stopStrings: [],
  seed: 7,
  stream: 'train/1',
};

const models = createModelClient();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-model-'));
});
afterAll(async () => {
  await models.close();
  await rm(folder, { recursive: true });
});

async function copyOf(source: string): Promise<string> {
  const copy = await mkdtemp(join(folder, 'copy-'));
  await cp(source, copy, { recursive: true });
  return copy;
}

async function trainJob(changes: Partial<TrainJob> = {}, learningRate = 1e-3): Promise<TrainJob> {
  const rollouts = await models.generate(generate);
  const out = await mkdtemp(join(folder, 'out-'));
  return {
    engine,
    model,
    reference: model,
    samples: rollouts.map((rollout, i) => ({
      ...rollout,
      prompt: prompts.find(({ id }) => id === rollout.promptId)!.prompt,
      reward: i % 2,
      advantage: i % 2 ? 1 : -1,
    })),
    promptFormat: generate.promptFormat,
    settings: {
      rlaif: rlaifSchema.parse({}),
      training: trainingSchema.parse({
        learning_rate: learningRate,
        warmup_steps: 0,
        batch_size: 4,
        microbatch_size: 2,
      }),
    },
    lora: null,
    freshOptimizer: false,
    seed: 7,
    epoch: 1,
    out,
    ...changes,
  };
}

describe('generate', () => {
  it('returns the group of each prompt in order, with different samples', async () => {
    const rollouts = await models.generate(generate);
    expect(rollouts.map(({ promptId, sample }) => `${promptId}${sample}`)).toEqual(
      prompts.flatMap(({ id }) => [0, 1, 2, 3].map((sample) => id + sample)),
    );
    expect(new Set(rollouts.map(({ text }) => text)).size).toBeGreaterThan(6);
    for (const { tokens, logprobs, finish } of rollouts) {
      expect(logprobs).toHaveLength(tokens.length);
      expect(Math.max(...logprobs)).toBeLessThanOrEqual(0);
      expect(tokens.includes(1023)).toBe(finish === 'stop');
    }
  });

  it('draws depend only on seed and stream', async () => {
    const texts = async (job: GenerateJob) => (await models.generate(job)).map(({ text }) => text);
    const first = await texts(generate);
    expect(await texts(generate)).toEqual(first);
    expect(await texts({ ...generate, stream: 'train/2' })).not.toEqual(first);
    // The group of a prompt is the same if other prompts are in the batch.
    const single = await texts({ ...generate, prompts: prompts.slice(1, 2) });
    expect(single).toEqual(first.slice(4, 8));
  });

  it('refuses a prompt that leaves no room for the completion', async () => {
    const long = { id: 'long', prompt: 'word '.repeat(1000) };
    await expect(models.generate({ ...generate, prompts: [long] })).rejects.toMatchObject({
      kind: 'InvalidData',
      message: expect.stringContaining('prompt long: expected 1 to 464 tokens'),
    });
  });
});

describe('a chat', () => {
  const chat = { kind: 'chat', system: null, prefill: '' } as const;
  /** The embedded policy with a template that writes the prompts of `generate` from their ids. */
  async function chatModel(): Promise<string> {
    const copy = await copyOf(model);
    const template =
      "{% set id = messages[0].content %}// Return the {{ id }} of values.\n// {{ id ~ '(values)\\n' }}";
    await writeFile(join(copy, 'chat_template.jinja'), template);
    return copy;
  }
  const asked = prompts.map(({ id }) => ({ id, prompt: id }));

  it('is sampled and trained like the text that the template renders', async () => {
    const chats = { model: await chatModel(), promptFormat: chat };
    const rollouts = await models.generate({ ...generate, ...chats, prompts: asked });
    expect(rollouts).toEqual(await models.generate(generate));
    const plain = await trainJob();
    const samples = plain.samples.map((sample) => ({ ...sample, prompt: sample.promptId }));
    const out = await mkdtemp(join(folder, 'out-'));
    const stats = await models.train({ ...plain, ...chats, reference: chats.model, samples, out });
    expect(stats).toEqual(await models.train(plain));
    expect(await readdir(out)).toContain('chat_template.jinja');
  });

  it('is refused at once if the model has no template', async () => {
    expect(await models.inspect({ model: await chatModel(), promptFormat: chat })).toBeDefined();
    await expect(models.inspect({ model, promptFormat: chat })).rejects.toMatchObject({
      kind: 'InvalidModel',
      message: expect.stringContaining(`${model}: expected a chat template`),
    });
  });
});

describe('train', () => {
  it('writes a model folder to continue from, with the same bits every time', async () => {
    const [first, second] = [await trainJob(), await trainJob()];
    const report = await models.train(first);
    expect(report.stats).toMatchObject({ steps: 3, totalSteps: 3 });
    expect(report.steps.map(({ step }) => step)).toEqual([1, 2, 3]);
    const tokens = first.samples.reduce((sum, sample) => sum + sample.tokens.length, 0);
    expect(report.steps.reduce((sum, { num_tokens }) => sum + num_tokens, 0)).toBe(tokens);
    expect(await models.train(second)).toEqual(report);
    expect(await readdir(first.out)).toEqual(
      expect.arrayContaining(['config.json', 'model.safetensors', 'optimizer.safetensors']),
    );
    const next = await trainJob({ model: first.out });
    const { stats, steps } = await models.train(next);
    expect(stats.totalSteps).toBe(6);
    expect(steps[0]!.step).toBe(4);
  });

  it('uses the sampling log-probabilities if the reference is the policy itself', async () => {
    const { steps } = await models.train(await trainJob());
    const asked = await models.train(await trainJob({ reference: await copyOf(model) }));
    for (const [i, { kl, loss, grad_norm }] of asked.steps.entries()) {
      expect(steps[i]!.kl).toBeCloseTo(kl, 6);
      expect(steps[i]!.loss).toBeCloseTo(loss, 5);
      expect(steps[i]!.grad_norm).toBeCloseTo(grad_norm, 4);
    }
  });

  it('reports the advantages that it used, with the penalty of k1_reward subtracted', async () => {
    const reference = (await trainJob()).out;
    await models.train(await trainJob({ out: reference }));
    const withRlaif = async (rlaif: object, samples?: TrainJob['samples']) => {
      const plain = await trainJob({ reference });
      const settings = { ...plain.settings, rlaif: rlaifSchema.parse(rlaif) };
      const job = { ...plain, settings, samples: samples ?? plain.samples };
      const { advantages } = await models.train(job);
      return { job, advantages, weights: await readFile(join(job.out, 'model.safetensors')) };
    };
    const penalized = await withRlaif({ kl_placement: 'k1_reward', kl_penalty: 0.3 });
    const { samples } = penalized.job;
    expect(penalized.advantages).toHaveLength(samples.length);
    const reported = samples.map((sample, i) => ({ ...sample, ...penalized.advantages![i] }));
    expect(reported).not.toEqual(samples);
    // The same bits, if the batch has the reported advantages and there is no other penalty.
    const given = await withRlaif({ kl_penalty: 0 }, reported);
    expect(given.advantages).toBeNull();
    expect(given.weights).toEqual(penalized.weights);
  });

  it('resumes from any of its snapshots to the same bits', async () => {
    const whole = await trainJob({ reference: await copyOf(model) });
    const report = await models.train(whole);
    const bytes = (job: TrainJob) =>
      Promise.all(
        ['model.safetensors', 'optimizer.safetensors'].map((name) => readFile(join(job.out, name))),
      );
    const snapshots: string[] = [];
    const place = await mkdtemp(join(folder, 'snapshots-'));
    const { reference } = whole;
    const watched = await trainJob({ reference, snapshots: { folder: place, seconds: 0 } });
    const reported = await models.train(watched, {
      onProgress: ({ snapshot }) => snapshot && snapshots.push(snapshot),
    });
    expect(reported).toEqual(report);
    expect(snapshots).toEqual([join(place, 'step-1'), join(place, 'step-2')]);
    for (const resume of snapshots) {
      // The reference is not needed again.
      const next = await trainJob({ resume, reference: '/nowhere' });
      expect(await models.train(next)).toEqual(report);
      expect(await bytes(next)).toEqual(await bytes(whole));
    }
  });

  it('names the tensor where numbers stop being finite, and writes nothing', async () => {
    const job = await trainJob({}, 1e30);
    await expect(models.train(job)).rejects.toMatchObject({
      kind: 'NonFinite',
      message: expect.stringMatching(/step 2: .* the gradient of model\.\S+/),
    });
    expect(await readdir(job.out)).toEqual([]);
  });
});

/** The process of this file's model service, once it has started. */
async function modelPid(): Promise<string> {
  await models.inspect({ model });
  const children = `/proc/${process.pid}/task/${process.pid}/children`;
  for (const pid of (await readFile(children, 'utf8')).trim().split(' '))
    if ((await readFile(`/proc/${pid}/cmdline`, 'utf8')).includes('model-process')) return pid;
  throw new Error('expected a model process, found none');
}

it.runIf(process.platform === 'linux')('the process gets no secrets of its parent', async () => {
  const secrets = ['OPENAI_API_KEY', 'AWS_SECRET_ACCESS_KEY', 'ANNEAL_PAYLOAD_KEYS', 'SOME_TOKEN'];
  await models.close();
  for (const name of secrets) process.env[name] = 'planted';
  const environment = await readFile(`/proc/${await modelPid()}/environ`, 'utf8');
  for (const name of secrets) delete process.env[name];
  expect(environment).toContain(`PATH=${process.env.PATH}`);
  expect(environment).not.toContain('planted');
});

describe.runIf(process.platform === 'linux')('a model process with too little memory', () => {
  const group = '/sys/fs/cgroup/memory/anneal-test';
  const tooLarge = { ...generate, samplesPerPrompt: 4096, maxNewTokens: 256 };
  const refusal = {
    kind: 'OutOfMemory',
    message: expect.stringMatching(/too little memory: .*lower engine\.shard_prompts/s),
  };

  it('gets an error from the system, and says what uses less', async () => {
    const pid = await modelPid();
    const [, size] = /VmSize:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))!;
    execFileSync('prlimit', ['--pid', pid, `--as=${Number(size) * 1024 + 300e6}`]);
    await expect(models.generate(tooLarge)).rejects.toMatchObject(refusal);
    // The same process still does a job that fits.
    expect(await models.generate(generate)).toHaveLength(12);
    await models.close();
  });

  it.skipIf(!existsSync('/sys/fs/cgroup/memory') || process.getuid?.() !== 0)(
    'is killed by the kernel, and the error says why',
    async () => {
      await mkdir(group, { recursive: true });
      try {
        await writeFile(join(group, 'memory.limit_in_bytes'), String(300e6));
        await writeFile(join(group, 'cgroup.procs'), await modelPid());
        await expect(models.generate(tooLarge)).rejects.toMatchObject(refusal);
        expect(await models.generate(generate)).toHaveLength(12);
      } finally {
        await rmdir(group);
      }
    },
  );
});

it('ends a job that makes no progress, says what to do, and takes the next', async () => {
  await models.inspect({ model });
  const stalled = { ...generate, engine: { ...engine, stall_seconds: 0.001 } };
  await expect(models.generate(stalled)).rejects.toMatchObject({
    kind: 'ProcessStalled',
    message: expect.stringMatching(/no progress with 'generate'.*raise engine\.stall_seconds/s),
  });
  expect(await models.generate(generate)).toHaveLength(12);
});

it('ends when a job is aborted, and starts again for the next', async () => {
  const aborted = models.generate(generate, { signal: AbortSignal.timeout(1) });
  await expect(aborted).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(await models.inspect({ model })).toMatchObject({ parameters: 870_528, vocabSize: 1024 });
});
