// A model service for tests that needs no model: completions by formula, checkpoints that hold a hash
// of their inputs. Deterministic, and as strict about its folders as the real one.

import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GenerateJob, ModelInfo, ScoreJob } from '../engine/inference/jobs.ts';
import { AnnealError } from '../errors.ts';
import type { TrainStats } from '../records/metrics.ts';
import type { Prompt } from '../records/prompts.ts';
import type { Rollout } from '../records/rollouts.ts';
import type { ModelService } from '../rl/model-service.ts';
import type { TrainJob } from '../rl/policy/job.ts';

const info: ModelInfo = {
  architecture: 'double',
  memory: {
    sampling: 1,
    samplingToken: 1,
    training: 1,
    lora: 1,
    trainingToken: 1,
    recomputeToken: 1,
  },
  lora: null,
  parameters: 1,
  dtypes: { float32: 1 },
  unused: { tensors: [], keys: [] },
  layers: 1,
  hiddenSize: 1,
  intermediateSize: 1,
  heads: 1,
  kvHeads: 1,
  headDim: 1,
  vocabSize: 1,
  tiedEmbeddings: true,
  maxPositions: 1,
  slidingWindow: null,
  rope: { kind: 'default', theta: 1, factor: null },
  labels: null,
  eosTokenIds: [],
  chatTemplate: false,
  bytes: 0,
  files: [],
};

/** Good, empty and broken programs, by sample number. */
export function createModelDouble(prompts: readonly Prompt[]): ModelService & {
  trained: TrainJob[];
  scored: ScoreJob[];
} {
  const byId = new Map(prompts.map((prompt) => [prompt.id, prompt]));
  const trained: TrainJob[] = [];
  const scored: ScoreJob[] = [];
  const weights = (folder: string) => readFile(join(folder, 'model.safetensors'), 'utf8');
  return {
    trained,
    scored,
    async inspect({ model, promptFormat }) {
      const expect = (name: string, what: string) =>
        readFile(join(model, name), 'utf8').catch(() => {
          throw new AnnealError('InvalidModel', `expected ${what} in ${model}, found none`);
        });
      const content = await expect('model.safetensors', 'a model');
      if (promptFormat?.kind === 'chat') await expect('chat_template.jinja', 'a chat template');
      return { ...info, labels: content.startsWith('judge') ? 1 : null };
    },
    async generate(job, options) {
      await weights(job.model);
      options?.onProgress?.({ done: 1, total: 1, unit: 'tokens' });
      return job.prompts.flatMap(({ id }) =>
        Array.from({ length: job.samplesPerPrompt }, (_, sample) =>
          complete(byId.get(id)!, sample, job),
        ),
      );
    },
    async scores(job) {
      scored.push(job);
      return job.sequences.map(({ completion }) => completion.length % 7);
    },
    async train(job) {
      trained.push(job);
      const { samples, settings, seed, epoch, freshOptimizer } = job;
      const parts = [await weights(job.model), await weights(job.reference)];
      const hash = hashOf([parts, samples, settings, seed, epoch, freshOptimizer]);
      for (const name of ['model.safetensors', 'optimizer.safetensors'])
        await writeFile(join(job.out, name), hash);
      const stats = statsOf(samples.length);
      const { clip_low: low, clip_high: high, steps: _, totalSteps: __, ...means } = stats;
      const clips = { 'clip_ratio/low_mean': low, 'clip_ratio/high_mean': high };
      const rest = { 'clip_ratio/region_mean': low + high, num_tokens: 9 };
      return {
        stats,
        steps: [{ step: epoch, ...means, ...clips, ...rest }],
        advantages:
          settings.rlaif.kl_placement === 'k1_reward'
            ? samples.map(({ promptId, sample }) => ({ promptId, sample, advantage: 0.25 }))
            : null,
      };
    },
    async makeClassifier({ model, out }) {
      await writeFile(join(out, 'model.safetensors'), `judge of ${await weights(model)}`);
      return { ...info, labels: 1 };
    },
    async trainRewardModel({ model, pairs, epoch, out }) {
      const hash = hashOf([await weights(model), pairs, epoch]);
      for (const name of ['model.safetensors', 'optimizer.safetensors'])
        await writeFile(join(out, name), `judge ${hash}`);
      const means = { loss: 0.5, accuracy: 0.75, margin: 1, grad_norm: 2, learning_rate: 1e-4 };
      return { steps: [{ step: epoch, ...means }], tooLong: 0 };
    },
    close: async () => {},
  };
}

function hashOf(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

function complete(prompt: Prompt, sample: number, { stream }: GenerateJob): Rollout {
  const text = [prompt.reference, `function ${prompt.entry}() {}`, 'not a program'][sample % 3]!;
  const tokens = [...Buffer.from(`${stream}${sample}`)];
  const logprobs = tokens.map(() => -0.5);
  return { promptId: prompt.id, sample, tokens, logprobs, text, finish: 'stop' };
}

function statsOf(samples: number): TrainStats {
  return {
    steps: samples,
    totalSteps: samples,
    loss: 0.5,
    policy_loss: 0.25,
    kl: 0.125,
    kl_k1: 0.125,
    kl_coefficient: 0.05,
    entropy: 1,
    grad_norm: 2,
    learning_rate: 1e-4,
    clip_low: 0,
    clip_high: 0,
  };
}
