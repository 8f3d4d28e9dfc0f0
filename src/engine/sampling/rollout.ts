// Rollouts: completions of a batch of prompts, drawn chunk by chunk. Between chunks, finished
// samples leave the batch, so that computing the others gets cheaper.
// Axes: P prompts, G samples of a prompt, B = P·G, S prompt length, N tokens of a chunk.

import type { DecoderConfig } from '../model/config.ts';
import type { ExternalWeights } from '../model/external-weights.ts';
import type { AdapterShape } from '../model/lora.ts';
import { rotaryFeeds } from '../model/rope.ts';
import type { TensorData } from '../runtime/session.ts';
import { SessionCache, type SessionSettings } from '../runtime/session-cache.ts';
import { decodeGraph } from './decode-graph.ts';
import type { DrawOptions } from './draw.ts';
import { KeyValueCache, PromptCache } from './kv-cache.ts';
import { prefillGraph } from './prefill-graph.ts';
import { promptMultiple, RolloutBatch } from './rollout-batch.ts';
import type { DrawnSample, DrawSettings, RolloutRequest } from './rollout-request.ts';

/** From this prompt length on, attention to a prompt is computed for all its samples at once. */
const longPrompt = 64;

/** Appending to a longer cache costs more, so longer completions use longer chunks. */
function chunkLength(length: number): number {
  if (length < 64) return 16;
  return length < 512 ? 32 : 64;
}

/** Builds one of the two graphs. */
type GraphOf<O> = (
  c: DecoderConfig,
  weights: ExternalWeights,
  options: O,
  adapters?: AdapterShape,
) => Uint8Array;

/** Draws completions from a model. */
export class RolloutEngine {
  readonly #config: DecoderConfig;
  readonly #weights: ExternalWeights;
  readonly #sessions: SessionCache;
  readonly #adapters: AdapterShape | undefined;

  constructor(
    config: DecoderConfig,
    weights: ExternalWeights,
    settings: SessionSettings,
    adapters?: AdapterShape,
  ) {
    this.#config = config;
    this.#weights = weights;
    this.#sessions = new SessionCache({ ...settings, files: weights.files });
    this.#adapters = adapters;
  }

  /** Samples ordered by prompt, then by sample index. */
  async run(request: RolloutRequest): Promise<DrawnSample[]> {
    const batch = new RolloutBatch(request);
    const options = drawOptions(request);
    const fixed = this.#fixedFeeds(request, options);
    const gatherSamples = this.#gathersSamples(request);
    const prefill = await this.#session(prefillGraph, options);
    const first = await prefill.run({ ...batch.promptFeeds(), ...fixed });
    batch.take(first.token!, first.probability!);
    const prompts = new PromptCache(this.#config, first);
    const cache = new KeyValueCache(this.#config, batch.size, request.maxNewTokens);
    for (let drawn = 1; drawn < request.maxNewTokens && !batch.ended; ) {
      const kept = batch.shrink();
      if (kept) {
        prompts.keep(kept.prompts);
        cache.keep(kept.rows);
      }
      const count = Math.min(chunkLength(drawn), request.maxNewTokens - drawn);
      const decode = await this.#session(decodeGraph, { ...options, gatherSamples });
      const chunk = await decode.run({
        ...batch.chunkFeeds(count),
        ...prompts.feeds(),
        ...cache.feeds(batch.shape),
        ...fixed,
      });
      batch.take(chunk.tokens!, chunk.probabilities!);
      cache.append(chunk, count);
      drawn += count;
      request.onProgress?.(drawn);
    }
    return batch.results();
  }

  async close(): Promise<void> {
    await this.#sessions.close();
  }

  /** With a single row, the runtime would use another kernel, which gives other last bits. */
  #gathersSamples({ prompts, samplesPerPrompt }: RolloutRequest): boolean {
    const several = samplesPerPrompt > 1 && this.#config.heads > this.#config.kvHeads;
    return several && prompts.some((prompt) => prompt.length >= longPrompt);
  }

  #session<O>(build: GraphOf<O>, options: O) {
    return this.#sessions.get([build.name, options], () =>
      build(this.#config, this.#weights, options, this.#adapters),
    );
  }

  #fixedFeeds(request: RolloutRequest, options: DrawOptions): Record<string, TensorData> {
    const { prompts, maxNewTokens, temperature, topK, topP, minP, adapters } = request;
    const longest = prompts.reduce((most, prompt) => Math.max(most, prompt.length), 1);
    const scalar = (x: number) => ({ data: Float32Array.of(x), shape: [] });
    return {
      ...rotaryFeeds(this.#config, longest + promptMultiple + maxNewTokens),
      ...adapters,
      inverse_temperature: scalar(temperature === 0 ? 1 : 1 / temperature),
      ...(options.topK && { top_k: { data: BigInt64Array.of(BigInt(topK!)), shape: [1] } }),
      ...(options.topP && { top_p: scalar(topP) }),
      ...(options.minP && { min_p: scalar(minP) }),
    };
  }
}

function drawOptions({ temperature, topK, topP, minP }: DrawSettings): DrawOptions {
  const greedy = temperature === 0;
  return {
    greedy,
    topK: !greedy && topK !== null,
    topP: !greedy && topP < 1,
    minP: !greedy && minP > 0,
  };
}
