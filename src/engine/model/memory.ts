// Estimates of the memory that sampling and training take, in bytes, for `anneal inspect`. They
// count what the graphs hold, from the model's shapes, with factors measured by
// bench/memory.bench.ts and bench/large.bench.ts.

import type { DecoderConfig } from './config.ts';

export interface MemoryEstimate {
  /** Loading the model for sampling. */
  sampling: number;
  /** Added for each token that a batch holds; a prompt shared by samples counts once. */
  samplingToken: number;
  /** Training all weights. */
  training: number;
  /** Training adapters over fixed weights. */
  lora: number;
  /** Added for each token of a microbatch whose sequences have `trainingLength` tokens. */
  trainingToken: number;
  /** The same with `training.recompute`. */
  recomputeToken: number;
}

/** Sequence length of the estimates per token: attention's share grows with the length. */
const trainingLength = 512;

const float = 4;
/** Node and ONNX Runtime. */
const process = 150e6;
/** The most copies of the weights in two sessions, packed or being packed for their kernels. */
const samplingCopies = 3;
const loraCopies = 3;
/**
 * Weights, both moments, three copies of the gradients (the sum, the sum before, the output), slack.
 */
const trainingCopies = 6.7;
/** Memory the runtime's arena holds, relative to what is in use at a time. */
const arena = 1.4;

export function memoryEstimate(
  c: DecoderConfig,
  parameters: number,
  storedBytes: number,
): MemoryEstimate {
  const weights = float * parameters;
  return {
    sampling: process + storedBytes + samplingCopies * weights,
    // Keys and values, three times: in the cache, in the chunk appended to it, and in the graph.
    samplingToken: 3 * float * 2 * c.layers * c.kvHeads * c.headDim,
    training: process + trainingCopies * weights,
    lora: process + storedBytes + loraCopies * weights,
    trainingToken: trainingBytesPerToken(c, trainingLength, false),
    recomputeToken: trainingBytesPerToken(c, trainingLength, true),
  };
}

/** Bytes of activations that a training step holds for each token of a microbatch. */
export function trainingBytesPerToken(
  c: DecoderConfig,
  length: number,
  recompute: boolean,
): number {
  const { hiddenSize: D, intermediateSize: F, heads: H, kvHeads: K, headDim: E } = c;
  // Inputs and outputs of both norms; projections (computed, rotated, transposed); scores (raw,
  // masked, softmaxed); the MLP's factors.
  const layer = 5 * D + 4 * (H + 2 * K) * E + 3 * H * length + 4 * F;
  const kept = recompute ? layer + c.layers * D : c.layers * layer;
  const logits = 6 * (c.labels ?? c.vocabSize);
  return arena * float * (kept + logits);
}
