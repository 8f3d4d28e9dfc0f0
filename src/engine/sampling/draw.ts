// Drawing the next token from logits, as graph nodes: by inverse CDF from uniforms that the
// caller supplies, or the likeliest; from all tokens or from those that top-k, top-p and min-p
// leave. Axes: B sequences, V vocabulary.

import type { Builder } from '../graph/operators.ts';
import type { Value } from '../graph/value.ts';

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
  const cumulative = block ? blockCumSum(g, probabilities, block) : g.cumSum(probabilities);
  // The sum of float32 probabilities is not exactly 1; measured against it, u stays inside.
  const target = g.mul(uniforms, g.slice(cumulative, -1, V - 1, V));
  const passed = g.sum(g.cast(g.lessOrEqual(cumulative, target), 'float32'), [-1]);
  return g.min(g.cast(passed, 'int64'), g.ints([V - 1]));
}

/** The divisor of V nearest to its root, or undefined where none is worth while. */
function blockLength(V: number): number | undefined {
  for (let block = Math.floor(Math.sqrt(V)); block >= 8; block--) if (V % block === 0) return block;
  return undefined;
}

/**
 * Cumulative sums over the last axis [B, V] as two products with triangular matrices, within
 * blocks and over the blocks' sums: the runtime's own CumSum takes one element after the other.
 */
function blockCumSum(g: Builder, x: Value, block: number): Value {
  const [B, V] = x.shape as [string, number];
  const count = V / block;
  const triangle = (n: number, diagonal: number) =>
    g.constant(
      Float32Array.from({ length: n * n }, (_, i) =>
        Math.floor(i / n) + diagonal <= i % n ? 1 : 0,
      ),
      [n, n],
    );
  const within = g.matmul(g.reshape(x, [B, count, block]), triangle(block, 0));
  const sums = g.reshape(g.slice(within, -1, block - 1, block), [B, count]);
  const before = g.reshape(g.matmul(sums, triangle(count, 1)), [B, count, 1]);
  return g.reshape(g.add(within, before), [B, V]);
}
