// The samples of a rollout, as a batch of P prompts by G samples that shrinks as samples end. All
// prompts have the same G, so a prompt with fewer unfinished samples than others keeps some finished
// ones as fillers.

import type { TensorData } from '../runtime/session.ts';
import type { Uniforms } from './random.ts';
import type { DrawnSample, EndFinder, RolloutRequest } from './rollout-request.ts';

/** Prompts are padded to a multiple of this, to keep the order of every sum (decode-graph.ts). */
export const promptMultiple = 16;

/** The batch shrinks if at most this share of it would be left. */
const worthShrinking = 0.8;

/** Keeps the logarithm finite if a probability underflowed. */
const tiny = 1e-30;

interface LiveSample extends DrawnSample {
  prompt: number;
  next: Uniforms;
  endOf: EndFinder;
}

/** Indices into the batch before it shrank: prompts in P, rows in P·G. */
export interface Kept {
  prompts: number[];
  rows: number[];
}

export class RolloutBatch {
  readonly #request: RolloutRequest;
  readonly #samples: LiveSample[];
  /** [P][G]: the samples in the batch. */
  #groups: LiveSample[][];

  constructor(request: RolloutRequest) {
    this.#request = request;
    this.#groups = request.prompts.map((_, prompt) =>
      Array.from({ length: request.samplesPerPrompt }, (_, sample) => ({
        prompt,
        next: request.uniforms(prompt, sample),
        endOf: request.endOf(prompt),
        tokens: [],
        logprobs: [],
        ended: false,
      })),
    );
    this.#samples = this.#groups.flat();
  }

  /** [P, G] */
  get shape(): [number, number] {
    return [this.#groups.length, this.#groups[0]!.length];
  }

  /** B */
  get size(): number {
    return this.#groups.flat().length;
  }

  /** Whether all samples have ended. */
  get ended(): boolean {
    return this.#samples.every((sample) => sample.ended);
  }

  results(): DrawnSample[] {
    return this.#samples.map(({ tokens, logprobs, ended }) => ({ tokens, logprobs, ended }));
  }

  /** Feeds of the prefill graph: the prompts, and uniforms for each sample's first token. */
  promptFeeds(): Record<string, TensorData> {
    const { prompts } = this.#request;
    const longest = prompts.reduce((most, prompt) => Math.max(most, prompt.length), 1);
    const S = Math.ceil(longest / promptMultiple) * promptMultiple;
    const tokens = new BigInt64Array(prompts.length * S);
    prompts.forEach((prompt, row) => {
      tokens.set(prompt.map(BigInt), row * S);
    });
    const last = prompts.map((prompt, row) => BigInt(row * S + prompt.length - 1));
    const { data } = this.#uniforms(1);
    return {
      tokens: { data: tokens, shape: [prompts.length, S] },
      last: { data: BigInt64Array.from(last), shape: [prompts.length] },
      uniforms: { data, shape: this.shape },
    };
  }

  /** Feeds of the decode graph for a chunk of `count` tokens, without the caches. */
  chunkFeeds(count: number): Record<string, TensorData> {
    const { prompts } = this.#request;
    const lengths = this.#groups.map((group) => BigInt(prompts[group[0]!.prompt]!.length));
    const rows = this.#groups.flat();
    // A filler's tokens are not used; any token of the vocabulary will do.
    const tokens = rows.map(({ tokens, ended }) => BigInt(ended ? 0 : tokens.at(-1)!));
    return {
      token: { data: BigInt64Array.from(tokens), shape: [rows.length, 1] },
      prompt_lengths: { data: BigInt64Array.from(lengths), shape: [lengths.length, 1] },
      uniforms: this.#uniforms(count),
    };
  }

  /** Append tokens and their probabilities, [N, B, 1] each; samples that they complete end. */
  take(tokens: TensorData, probabilities: TensorData): void {
    const rows = this.#groups.flat();
    rows.forEach((sample, row) => {
      if (sample.ended) return;
      for (let at = row; at < tokens.data.length; at += rows.length) {
        sample.tokens.push(Number(tokens.data[at]));
        sample.logprobs.push(Math.log(Math.max(Number(probabilities.data[at]), tiny)));
      }
      const end = sample.endOf(sample.tokens);
      if (end === undefined) return;
      sample.ended = true;
      sample.tokens.length = end;
      sample.logprobs.length = end;
    });
  }

  /** Drop finished samples, if that makes the batch enough smaller. */
  shrink(): Kept | undefined {
    const [P, G] = this.shape;
    const unfinished = this.#groups.map((group) => group.filter((sample) => !sample.ended).length);
    const prompts = [...unfinished.keys()].filter((p) => unfinished[p]! > 0);
    const width = Math.max(...unfinished);
    if (prompts.length * width > worthShrinking * P * G) return undefined;
    const places = prompts.map((p) => {
      const order = [...this.#groups[p]!.keys()];
      const ended = (g: number) => Number(this.#groups[p]![g]!.ended);
      return order.sort((a, b) => ended(a) - ended(b) || a - b).slice(0, width);
    });
    this.#groups = prompts.map((p, i) => places[i]!.map((g) => this.#groups[p]![g]!));
    return { prompts, rows: prompts.flatMap((p, i) => places[i]!.map((g) => p * G + g)) };
  }

  /** The next `count` uniforms of every sample, float32 [N, P, G]. */
  #uniforms(count: number) {
    const rows = this.#groups.flat();
    const data = new Float32Array(count * rows.length);
    rows.forEach(({ next }, row) => {
      for (let n = 0; n < count; n++) data[n * rows.length + row] = next();
    });
    return { data, shape: [count, ...this.shape] };
  }
}
