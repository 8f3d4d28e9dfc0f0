// Samples completions from a policy's folder with its tokenizer and a rollout engine. The engine
// serves every policy with the same base; only the adapters change.

import { AnnealError } from '../../errors.ts';
import type { Rollout } from '../../records/rollouts.ts';
import type { PolicyFolder } from '../files/policy-folder.ts';
import { openWeights } from '../files/weights.ts';
import type { DecoderConfig } from '../model/config.ts';
import { uniforms } from '../sampling/random.ts';
import { RolloutEngine } from '../sampling/rollout.ts';
import type { DrawnSample, EndFinder } from '../sampling/rollout-request.ts';
import { createPromptEncoder } from '../text/prompt-format.ts';
import { readTokenizer, type Tokenizer } from '../text/tokenizer.ts';
import { adapterFeeds, type Feeds } from './adapter-feeds.ts';
import type { EngineSettings, GenerateJob, Progress } from './jobs.ts';

export class Sampler {
  readonly #config: DecoderConfig;
  readonly #tokenizer: Tokenizer;
  readonly #engine: RolloutEngine;
  #adapters: Feeds;

  private constructor(
    config: DecoderConfig,
    tokenizer: Tokenizer,
    engine: RolloutEngine,
    adapters: Feeds,
  ) {
    this.#config = config;
    this.#tokenizer = tokenizer;
    this.#engine = engine;
    this.#adapters = adapters;
  }

  /** @throws AnnealError InvalidModel */
  static async open(policy: PolicyFolder, { device, threads }: EngineSettings): Promise<Sampler> {
    const { base, config, lora } = policy;
    const tokenizer = await readTokenizer(base);
    const weights = await openWeights(base, config);
    // Not a LoadedModel: the engine builds its graphs by batch shape, over the same weights.
    const engine = new RolloutEngine(config, weights, { device, threads }, lora);
    return new Sampler(config, tokenizer, engine, await adapterFeeds(policy));
  }

  /** Use the adapters of another policy with the same base and adapter shape. */
  async adapt(policy: PolicyFolder): Promise<void> {
    this.#adapters = await adapterFeeds(policy);
  }

  /** All prompts of the job as one batch. Rollouts in the order of prompts, then sample index. */
  async sample(job: GenerateJob, onProgress?: (progress: Progress) => void): Promise<Rollout[]> {
    const { vocabSize } = this.#config;
    const encode = await createPromptEncoder(this.#tokenizer, job.promptFormat, vocabSize);
    const prompts = await encode(job.prompts.map(({ prompt }) => prompt));
    this.#checkLengths(job, prompts);
    const samples = await this.#engine.run({
      prompts,
      samplesPerPrompt: job.samplesPerPrompt,
      maxNewTokens: job.maxNewTokens,
      ...job.draw,
      uniforms: (p, sample) => uniforms(job.seed, job.stream, job.prompts[p]!.id, sample),
      endOf: (p) => this.#endOf(prompts[p]!, job.stopStrings),
      adapters: this.#adapters,
      onProgress: (done) => onProgress?.({ done, total: job.maxNewTokens, unit: 'tokens' }),
    });
    return job.prompts.flatMap(({ id }, p) =>
      Array.from({ length: job.samplesPerPrompt }, (_, sample) =>
        this.#rollout(job, prompts[p]!, id, sample, samples[p * job.samplesPerPrompt + sample]!),
      ),
    );
  }

  async close(): Promise<void> {
    await this.#engine.close();
  }

  /** The length through the end-of-sequence token or the token that completes a stop string. */
  #endOf(prompt: readonly number[], stopStrings: readonly string[]): EndFinder {
    const stops =
      stopStrings.length > 0 ? this.#tokenizer.stopSearch(prompt, stopStrings) : undefined;
    let length = 0;
    return (tokens) => {
      for (const token of tokens.slice(length)) {
        length++;
        const isStop = stops?.push(token);
        if (isStop || this.#config.eosTokenIds.includes(token)) return length;
      }
      return undefined;
    };
  }

  #rollout(
    { stopStrings }: GenerateJob,
    prompt: readonly number[],
    promptId: string,
    sample: number,
    { tokens, logprobs, ended }: DrawnSample,
  ): Rollout {
    const text = this.#tokenizer.decodeCompletion(prompt, tokens);
    const cuts = stopStrings.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
    return {
      promptId,
      sample,
      tokens,
      logprobs,
      text: cuts.length > 0 ? text.slice(0, Math.min(...cuts)) : text,
      finish: ended ? 'stop' : 'length',
    };
  }

  #checkLengths(job: GenerateJob, prompts: readonly number[][]): void {
    const limit = this.#config.maxPositions - job.maxNewTokens;
    prompts.forEach((tokens, i) => {
      if (tokens.length >= 1 && tokens.length <= limit) return;
      throw new AnnealError(
        'InvalidData',
        `prompt ${job.prompts[i]!.id}: expected 1 to ${limit} tokens (the model's ${this.#config.maxPositions} positions less max_new_tokens), found ${tokens.length}`,
      );
    });
  }
}
