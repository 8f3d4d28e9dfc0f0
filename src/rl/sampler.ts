// Sampling completions from a model folder: tokenizer, rollout graph and session together. Holds
// what is worth keeping between jobs (the session of the last few shapes).

import type { Rollout } from '../config/records.ts';
import { type DecoderConfig, readModelConfig } from '../engine/model/config.ts';
import { type ExternalWeights, openWeights } from '../engine/model/weights.ts';
import { createPromptEncoder } from '../engine/prompt-format.ts';
import { SessionCache } from '../engine/runtime/session-cache.ts';
import { uniforms } from '../engine/sampling/random.ts';
import { type RolloutShape, rolloutGraph } from '../engine/sampling/rollout-graph.ts';
import { readTokenizer, type Tokenizer } from '../engine/tokenizer.ts';
import { AnnealError } from '../errors.ts';
import type { EngineSettings, GenerateJob } from './model-service.ts';
import { packPrompts, sequenceLengths } from './packing.ts';

/** Batches under this many sequences sample faster with one cache level than with two. */
const twoLevelsFrom = 32;
const chunk = 32;

export class Sampler {
  private readonly config: DecoderConfig;
  private readonly weights: ExternalWeights;
  private readonly tokenizer: Tokenizer;
  private readonly sessions: SessionCache;

  private constructor(
    config: DecoderConfig,
    weights: ExternalWeights,
    tokenizer: Tokenizer,
    engine: EngineSettings,
  ) {
    this.config = config;
    this.weights = weights;
    this.tokenizer = tokenizer;
    const { device, threads } = engine;
    this.sessions = new SessionCache({ device, threads, files: weights.files });
  }

  /** @throws AnnealError InvalidModel */
  static async open(folder: string, engine: EngineSettings): Promise<Sampler> {
    const config = await readModelConfig(folder);
    const [weights, tokenizer] = await Promise.all([
      openWeights(folder, config),
      readTokenizer(folder),
    ]);
    return new Sampler(config, weights, tokenizer, engine);
  }

  /** All prompts of the job as one batch. Rollouts in the order of prompts, then sample index. */
  async sample(job: GenerateJob): Promise<Rollout[]> {
    const encode = await createPromptEncoder(this.tokenizer, job.promptFormat);
    const prompts = job.prompts.map(({ prompt }) => encode(prompt));
    this.checkLengths(job, prompts);
    const sequences = prompts.map((prompt) => ({ prompt, completion: [] }));
    const { promptLength } = sequenceLengths(sequences);
    const batch = prompts.length * job.samplesPerPrompt;
    const shape: RolloutShape = {
      prompts: prompts.length,
      samplesPerPrompt: job.samplesPerPrompt,
      promptLength,
      maxNewTokens: job.maxNewTokens,
      chunk: batch < twoLevelsFrom ? job.maxNewTokens : chunk,
      greedy: job.temperature === 0,
    };
    const session = await this.sessions.get(shape, () =>
      rolloutGraph(this.config, this.weights, shape),
    );
    const outputs = await session.run({
      ...packPrompts(prompts, promptLength),
      uniforms: drawUniforms(job),
      inverse_temperature: { data: Float32Array.of(1 / (job.temperature || 1)), shape: [] },
    });
    const completion = outputs.completion!.data as BigInt64Array;
    const logprobs = outputs.logprobs!.data as Float32Array;
    const length = outputs.completion!.shape[1]!;
    return job.prompts.flatMap(({ id }, p) =>
      Array.from({ length: job.samplesPerPrompt }, (_, sample) => {
        const start = (p * job.samplesPerPrompt + sample) * length;
        const row = Array.from(completion.subarray(start, start + length), Number);
        return this.rollout(id, sample, row, logprobs.subarray(start, start + length));
      }),
    );
  }

  async close(): Promise<void> {
    await this.sessions.close();
  }

  private rollout(
    promptId: string,
    sample: number,
    row: number[],
    logprobs: Float32Array,
  ): Rollout {
    const end = row.findIndex((token) => this.config.eosTokenIds.includes(token));
    const count = end < 0 ? row.length : end + 1;
    const tokens = row.slice(0, count);
    return {
      promptId,
      sample,
      tokens,
      logprobs: Array.from(logprobs.subarray(0, count)),
      text: this.tokenizer.decode(tokens),
      finish: end < 0 ? 'length' : 'stop',
    };
  }

  private checkLengths(job: GenerateJob, prompts: readonly number[][]): void {
    const limit = this.config.maxPositions - job.maxNewTokens;
    prompts.forEach((tokens, i) => {
      if (tokens.length >= 1 && tokens.length <= limit) return;
      throw new AnnealError(
        'InvalidData',
        `prompt ${job.prompts[i]!.id}: expected 1 to ${limit} tokens (the model's ${this.config.maxPositions} positions less max_new_tokens), found ${tokens.length}`,
      );
    });
  }
}

/** float32 [N, B, 1]: each sequence's own stream, whatever batch it falls in. */
function drawUniforms(job: GenerateJob) {
  const { maxNewTokens: N, samplesPerPrompt: G } = job;
  const B = job.prompts.length * G;
  const data = new Float32Array(N * B);
  job.prompts.forEach(({ id }, p) => {
    for (let sample = 0; sample < G; sample++) {
      const next = uniforms(job.seed, job.stream, id, sample);
      for (let n = 0; n < N; n++) data[n * B + p * G + sample] = next();
    }
  });
  return { data, shape: [N, B, 1] };
}
