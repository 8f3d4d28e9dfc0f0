// The keys and values of a batch between chunks: of its prompts, computed once, and of its
// completions, appended to after each chunk. Rows are dropped as sequences end. Completion buffers
// are allocated for the longest possible completion and repacked in place.
// Axes: P prompts, S prompt length, B sequences, K key-value heads, L tokens so far, E head size.

import type { DecoderConfig } from '../model/config.ts';
import type { TensorData } from '../runtime/session.ts';

type Tensors = Readonly<Record<string, TensorData>>;

/** Names of the cached tensors: keys and values, layer by layer. */
const cacheNames = (c: DecoderConfig) =>
  Array.from({ length: c.layers }, (_, i) => [`key.${i}`, `value.${i}`]).flat();

/** The rows `kept` of `data`, `size` numbers each, in that order. */
function pickRows(data: Float32Array, size: number, kept: readonly number[]): Float32Array {
  const picked = new Float32Array(kept.length * size);
  kept.forEach((row, i) => {
    picked.set(data.subarray(row * size, (row + 1) * size), i * size);
  });
  return picked;
}

/** The prompts' keys and values, from the prefill graph. */
export class PromptCache {
  /** By name, [P, K, S, E] each. */
  readonly #tensors: Map<string, TensorData<Float32Array>>;

  constructor(c: DecoderConfig, outputs: Tensors) {
    const tensor = (name: string) => outputs[name] as TensorData<Float32Array>;
    this.#tensors = new Map(cacheNames(c).map((name) => [name, tensor(name)]));
  }

  /** Feeds `prompt_key.i` and `prompt_value.i` [P, 1, K, S, E]. */
  feeds(): Record<string, TensorData> {
    return Object.fromEntries(
      [...this.#tensors].map(([name, { data, shape }]) => [
        `prompt_${name}`,
        { data, shape: [shape[0]!, 1, ...shape.slice(1)] },
      ]),
    );
  }

  /** Keep the prompts of these indices, in that order. */
  keep(prompts: readonly number[]): void {
    for (const [name, { data, shape }] of this.#tensors) {
      const picked = pickRows(data, data.length / shape[0]!, prompts);
      this.#tensors.set(name, { data: picked, shape: shape.with(0, prompts.length) });
    }
  }
}

/** The completions' keys and values. */
export class KeyValueCache {
  /** L: tokens of each sequence so far. */
  length = 0;
  #sequences: number;
  readonly #heads: number;
  readonly #headDim: number;
  /** By name, [B, K, L, E] packed at the start of the buffer. */
  readonly #buffers: Map<string, Float32Array>;

  /** For `sequences` completions of fewer than `longest` tokens. */
  constructor(c: DecoderConfig, sequences: number, longest: number) {
    this.#sequences = sequences;
    this.#heads = c.kvHeads;
    this.#headDim = c.headDim;
    const size = sequences * c.kvHeads * longest * c.headDim;
    this.#buffers = new Map(cacheNames(c).map((name) => [name, new Float32Array(size)]));
  }

  /** Feeds `past_key.i` and `past_value.i` [...leading, K, L, E], views of the buffers. */
  feeds(leading: readonly number[]): Record<string, TensorData> {
    const shape = [...leading, this.#heads, this.length, this.#headDim];
    const size = this.#sequences * this.#heads * this.length * this.#headDim;
    return Object.fromEntries(
      [...this.#buffers].map(([name, buffer]) => [
        `past_${name}`,
        { data: buffer.subarray(0, size), shape },
      ]),
    );
  }

  /** Append a chunk of `count` tokens: outputs `key.i` and `value.i` [B, K, count, E]. */
  append(outputs: Tensors, count: number): void {
    const [before, added] = [this.length * this.#headDim, count * this.#headDim];
    const after = before + added;
    for (const [name, buffer] of this.#buffers) {
      const chunk = outputs[name]!.data as Float32Array;
      // Last block first, so that none is overwritten before it has moved.
      for (let block = this.#sequences * this.#heads - 1; block >= 0; block--) {
        buffer.copyWithin(block * after, block * before, (block + 1) * before);
        const part = chunk.subarray(block * added, (block + 1) * added);
        buffer.set(part, block * after + before);
      }
    }
    this.length += count;
  }

  /** Keep the sequences of these indices, in that order. */
  keep(rows: readonly number[]): void {
    const size = this.#heads * this.length * this.#headDim;
    for (const buffer of this.#buffers.values()) buffer.set(pickRows(buffer, size, rows));
    this.#sequences = rows.length;
  }
}
