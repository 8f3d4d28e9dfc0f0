// Drawing the next token from logits, as graph nodes: by inverse CDF from uniforms that the
// caller supplies, or the likeliest; from all tokens or from those that top-k, top-p and min-p
// leave. Axes: B sequences, V vocabulary.

import type { Value } from '../graph/graph.ts';
import type { Builder } from '../graph/operators.ts';

/** What a graph is built to do; the numbers themselves are inputs. */
export interface DrawOptions {
  greedy: boolean;
  topK: boolean;
  topP: boolean;
  minP: boolean;
}

/** Inputs of the drawing: scalars by their names, those that the options ask for. */
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
 * The first token whose cumulative probability exceeds the uniform. `logits` [B, V] already at
 * the temperature, `uniforms` [B, 1]; results [B, 1]. The probability is the whole distribution's
 * at that temperature, also where the draw was from a part of it, since it is that which training
 * knows. Its logarithm is left to the caller: the runtime's gives another last bit to the last few
 * of a row of numbers than to the others.
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

/** Probabilities (not summing to 1) of the tokens left to draw from, 0 for the others. */
function candidates(g: Builder, inputs: DrawInputs, logits: Value, probabilities: Value) {
  const bounds = [
    ...(inputs.topK || inputs.topP ? [rankBound(g, inputs, logits)] : []),
    ...(inputs.minP ? [g.add(g.reduceMax(logits), g.log(inputs.minP))] : []),
  ];
  if (bounds.length === 0) return { probabilities, whole: true };
  const bound = bounds.reduce((a, b) => g.max(a, b));
  return { probabilities: g.where(g.less(logits, bound), 0, probabilities), whole: false };
}

/**
 * The lowest logit [B, 1] that top-k and then top-p keep: the k-th, or the first at which the
 * probabilities of those before it (among the k) sum to p or more. Equal logits stay together.
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
  { probabilities, whole }: { probabilities: Value; whole: boolean },
  uniforms: Value,
): Value {
  const V = probabilities.dim(-1);
  const block = whole ? blockLength(V) : undefined;
  return block
    ? inBlocks(g, probabilities, block, uniforms)
    : firstOver(g, g.cumSum(probabilities), uniforms).index;
}

/**
 * The first place [B, 1] of the last axis where a cumulative sum [B, n] exceeds the share
 * `uniforms` of its end, and that share. Float32 probabilities do not sum to exactly 1; measured
 * against their sum, u stays inside.
 */
function firstOver(g: Builder, cumulative: Value, uniforms: Value) {
  const n = cumulative.dim(-1);
  const target = g.mul(uniforms, g.slice(cumulative, -1, n - 1, n));
  return { index: countPassed(g, cumulative, target), target };
}

/** How many of [B, n] are at most `target` [B, 1], but fewer than n: int64 [B, 1]. */
function countPassed(g: Builder, cumulative: Value, target: Value): Value {
  const passed = g.sum(g.cast(g.lessOrEqual(cumulative, target), 'float32'), [-1]);
  return g.min(g.cast(passed, 'int64'), g.ints([cumulative.dim(-1) - 1]));
}

/** The divisor of V nearest to its root, or undefined where none is worth while. */
function blockLength(V: number): number | undefined {
  for (let block = Math.floor(Math.sqrt(V)); block >= 8; block--) if (V % block === 0) return block;
  return undefined;
}

/**
 * In two steps, the block first and the token in it then, so that the whole vocabulary is passed
 * over once; and with products for the cumulative sums, which the runtime's CumSum takes one
 * element after the other. What rounding leaves between a block's sum and its tokens' goes to the
 * block's last.
 */
function inBlocks(g: Builder, probabilities: Value, block: number, uniforms: Value): Value {
  const [B, V] = probabilities.shape as [string, number];
  const count = V / block;
  const blocks = g.reshape(probabilities, [B, count, block]);
  const ends = cumulated(g, g.sum(blocks, [-1], false), count);
  const { index: at, target } = firstOver(g, ends, uniforms);
  // The same at every step: made outside of the loop, where there is one.
  const home = g.parent ? g.outer : g;
  const rows = `${B}·${count}`;
  home.dimension(rows, home.mul(home.shapeValue([B]), home.ints([count])));
  const first = home.mul(home.reshape(home.range(B), [B, 1]), count);
  const row = g.reshape(g.add(first, at), [B]);
  const chosen = g.gather(g.reshape(probabilities, [rows, block]), row);
  const within = cumulated(g, chosen, block);
  const before = g.sub(g.gatherElements(ends, at), g.slice(within, -1, block - 1, block));
  const inside = countPassed(g, within, g.sub(target, before));
  return g.add(g.mul(at, block), inside);
}

/** Cumulative sums [B, n] over the last axis, as a product with a triangle of ones. */
function cumulated(g: Builder, x: Value, n: number): Value {
  const triangle = Float32Array.from({ length: n * n }, (_, i) =>
    Math.floor(i / n) <= i % n ? 1 : 0,
  );
  return g.gemm(x, g.constant(triangle, [n, n]));
}
