// How much memory a model takes to sample from and to train, in bytes, as `anneal inspect` says
// it. Estimates: what the graphs hold, counted from the model's shapes, with the factors that
// bench/memory.bench.ts and bench/large.bench.ts measure.

import type { DecoderConfig } from './config.ts';

export interface MemoryEstimate {
  /** To load the model and sample from it. */
  sampling: number;
  /** More for each token that a batch holds at a time, its prompts' counted once. */
  samplingToken: number;
  /** To train every weight. */
  training: number;
  /** To train adapters over fixed weights. */
  lora: number;
  /** More for each token of a microbatch, of sequences of `trainingLength` tokens. */
  trainingToken: number;
  /** The same where activations are computed again. */
  recomputeToken: number;
}

/** Length of the sequences that the estimate per token is for: attention's share grows with it. */
export const trainingLength = 512;

const float = 4;
/** Node and ONNX Runtime themselves. */
const process = 150e6;
/** Copies of the weights that two sessions hold at most: packed for their kernels, and in the making. */
const samplingCopies = 3;
const loraCopies = 3;
/** Weights, both moments, gradients as summed, as summed before and as handed over; and slack. */
const trainingCopies = 6.7;
/** What the runtime's arena holds, to what is in use at a time. */
const arena = 1.4;

export function memoryEstimate(
  c: DecoderConfig,
  parameters: number,
  storedBytes: number,
): MemoryEstimate {
  const weights = float * parameters;
  return {
    sampling: process + storedBytes + samplingCopies * weights,
    // In the cache, in the chunk that is joined to it, and as the graph reads it.
    samplingToken: 3 * float * 2 * c.layers * c.kvHeads * c.headDim,
    training: process + trainingCopies * weights,
    lora: process + storedBytes + loraCopies * weights,
    trainingToken: trainingBytesPerToken(c, trainingLength, false),
    recomputeToken: trainingBytesPerToken(c, trainingLength, true),
  };
}

/** Activations that a training step holds for each token of a microbatch. */
export function trainingBytesPerToken(
  c: DecoderConfig,
  length: number,
  recompute: boolean,
): number {
  const { hiddenSize: D, intermediateSize: F, heads: H, kvHeads: K, headDim: E } = c;
  // Inputs and outputs of both norms; projections as made, turned and laid out; scores, masked
  // and as weights; what the MLP multiplies.
  const layer = 5 * D + 4 * (H + 2 * K) * E + 3 * H * length + 4 * F;
  const kept = recompute ? layer + c.layers * D : c.layers * layer;
  const logits = 6 * (c.labels ?? c.vocabSize);
  return arena * float * (kept + logits);
}
