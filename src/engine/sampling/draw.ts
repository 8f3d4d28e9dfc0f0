// Draws the next token from logits, as graph nodes: the likeliest, or by inverse CDF from uniforms
// that the caller supplies, among the tokens that top-k, top-p and min-p keep.
// Axes: B sequences, V vocabulary.

import type { Value } from '../graph/graph.ts';
import type { Builder } from '../graph/operators.ts';

/** How a graph draws. The values of top-k, top-p and min-p are inputs. */
export interface DrawOptions {
  greedy: boolean;
  topK: boolean;
  topP: boolean;
  minP: boolean;
}

/** Scalar inputs of the draw; undefined if the options do not use them. */
export interface DrawInputs {
  /** 1 / temperature, []. */
  inverseTemperature: Value;
  /** int64 [1]. */
  topK: Value | undefined;
  /** [] each. */
  topP: Value | undefined;
  minP: Value | undefined;
}

export function drawInputs(g: Builder, { topK, topP, minP }: DrawOptions): DrawInputs {
  return {
    inverseTemperature: g.input('inverse_temperature', []),
    topK: topK ? g.input('top_k', [1], 'int64') : undefined,
    topP: topP ? g.input('top_p', []) : undefined,
    minP: minP ? g.input('min_p', []) : undefined,
  };
}

/**
 * The first token whose cumulative probability exceeds the uniform. `logits` [B, V] are already
 * divided by the temperature; `uniforms` [B, 1]; results [B, 1]. The probability is that of the full
 * distribution at the temperature, even if only part of it was drawn from, because training uses
 * that one. The caller takes its logarithm: ONNX Runtime's rounds the last few elements of a row
 * differently from the others.
 */
export function draw(
  g: Builder,
  options: DrawOptions,
  inputs: DrawInputs,
  logits: Value,
  uniforms: Value,
): { token: Value; probability: Value } {
  const probabilities = g.softmax(logits);
  const token = options.greedy
    ? g.argMax(logits)
    : inverseCdf(g, candidates(g, inputs, logits, probabilities), uniforms);
  return { token, probability: g.gatherElements(probabilities, token) };
}

/** Probabilities of the tokens to draw from, not renormalised; 0 for the others. */
function candidates(g: Builder, inputs: DrawInputs, logits: Value, probabilities: Value) {
  const bounds = [
    ...(inputs.topK || inputs.topP ? [rankBound(g, inputs, logits)] : []),
    ...(inputs.minP ? [g.add(g.reduceMax(logits), g.log(inputs.minP))] : []),
  ];
  if (bounds.length === 0) return { probabilities, full: true };
  const bound = bounds.reduce((a, b) => g.max(a, b));
  return { probabilities: g.where(g.less(logits, bound), 0, probabilities), full: false };
}

/**
 * The lowest logit [B, 1] that top-k and then top-p keep: the k-th largest, or the last one before
 * which the probabilities (among the k) sum to less than p. Equal logits are all kept or all cut.
 */
function rankBound(g: Builder, { topK, topP }: DrawInputs, logits: Value): Value {
  const count = topK ?? g.ints([logits.dim(-1)]);
  const sorted = g.topK(logits, count);
  if (!topP) return g.reduceMin(sorted);
  const shares = g.softmax(sorted);
  const before = g.sub(g.cumSum(shares), shares);
  return g.reduceMin(g.where(g.less(before, topP), sorted, Number.MAX_VALUE));
}

function inverseCdf(
  g: Builder,
  { probabilities, full }: { probabilities: Value; full: boolean },
  uniforms: Value,
): Value {
  const V = probabilities.dim(-1);
  const block = full ? blockLength(V) : undefined;
  return block
    ? inverseCdfByBlocks(g, probabilities, block, uniforms)
    : firstExceeding(g, g.cumSum(probabilities), uniforms).index;
}

/**
 * The first index [B, 1] at which a cumulative sum [B, n] exceeds `uniforms` times its last element,
 * and that target. Float32 probabilities do not sum to exactly 1; scaled by their sum, the target
 * stays in range.
 */
function firstExceeding(g: Builder, cumulative: Value, uniforms: Value) {
  const n = cumulative.dim(-1);
  const target = g.mul(uniforms, g.slice(cumulative, -1, n - 1, n));
  return { index: countAtMost(g, cumulative, target), target };
}

/** How many of [B, n] are at most `target` [B, 1]; n - 1 at most. int64 [B, 1]. */
function countAtMost(g: Builder, cumulative: Value, target: Value): Value {
  const count = g.sum(g.cast(g.lessOrEqual(cumulative, target), 'float32'), [-1]);
  return g.min(g.cast(count, 'int64'), g.ints([cumulative.dim(-1) - 1]));
}

/** The largest divisor of V up to its square root; undefined if it is too small to pay off. */
function blockLength(V: number): number | undefined {
  for (let block = Math.floor(Math.sqrt(V)); block >= 8; block--) if (V % block === 0) return block;
  return undefined;
}

/**
 * In two steps, first the block, then the token in it, so that the whole vocabulary is read once.
 * Cumulative sums are products, since the runtime's CumSum adds one element after the other. If a
 * block's sum and the sum over its tokens differ by rounding, the difference goes to its last token.
 */
function inverseCdfByBlocks(
  g: Builder,
  probabilities: Value,
  block: number,
  uniforms: Value,
): Value {
  const [B, V] = probabilities.shape as [string, number];
  const count = V / block;
  const blocks = g.reshape(probabilities, [B, count, block]);
  const ends = cumulativeSum(g, g.sum(blocks, [-1], false), count);
  const { index: chosenBlock, target } = firstExceeding(g, ends, uniforms);
  // The same at every step, so computed outside the loop, if there is one.
  const home = g.parent ? g.outer : g;
  const rows = `${B}·${count}`;
  home.dimension(rows, home.mul(home.shapeValue([B]), home.ints([count])));
  const first = home.mul(home.reshape(home.range(B), [B, 1]), count);
  const row = g.reshape(g.add(first, chosenBlock), [B]);
  const chosen = g.gather(g.reshape(probabilities, [rows, block]), row);
  const within = cumulativeSum(g, chosen, block);
  const before = g.sub(g.gatherElements(ends, chosenBlock), g.slice(within, -1, block - 1, block));
  const inside = countAtMost(g, within, g.sub(target, before));
  return g.add(g.mul(chosenBlock, block), inside);
}

/** Cumulative sums [B, n] over the last axis, as a product with a triangular matrix of ones. */
function cumulativeSum(g: Builder, x: Value, n: number): Value {
  const triangle = Float32Array.from({ length: n * n }, (_, i) =>
    Math.floor(i / n) <= i % n ? 1 : 0,
  );
  return g.gemm(x, g.constant(triangle, [n, n]));
}
