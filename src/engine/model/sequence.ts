// Whole sequences through the decoder, padded on the right, with causal attention. No token sees
// what comes after it, so padding needs no mask.
// Axes: B sequences, T time, N = B·T rows, M selected rows, H heads, K key-value heads, R = H / K,
// E head size.

import type { Value } from '../graph/graph.ts';
import type { Builder } from '../graph/operators.ts';
import type { DecoderConfig } from './config.ts';
import { type Attend, embed, type LayerOptions, layers, type Weights } from './decoder.ts';
import { maskOf, onceByWindow } from './masks.ts';

/** cos and sin of RoPE's angles by position, [longest, E / 2] each (rope.ts). */
export interface RotaryTables {
  cos: Value;
  sin: Value;
}

/** The tables as inputs `rope_cos` and `rope_sin`, so that one graph serves any length. */
export function rotaryInputs(g: Builder, c: DecoderConfig): RotaryTables {
  const table = (name: string) => g.input(name, ['positions', c.headDim / 2]);
  return { cos: table('rope_cos'), sin: table('rope_sin') };
}

export interface SequenceOptions extends LayerOptions {
  /** Called with each layer's rotated keys and its values, [B, K, T, E] each. */
  keep?: (key: Value, value: Value) => void;
}

/** Token ids int64 [B, T] to hidden states [N, D], or [M, D] if the options select rows. */
export function sequenceHidden(
  g: Builder,
  c: DecoderConfig,
  weights: Weights,
  tables: RotaryTables,
  tokens: Value,
  { keep, ...options }: SequenceOptions = {},
): Value {
  const [B, T] = tokens.shape;
  const N = `${B}*${T}`;
  g.dimension(N, g.mul(g.shapeValue([B!]), g.shapeValue([T!])));
  const x = embed(g, weights, g.reshape(tokens, [N]));
  return layers(g, c, weights, x, sequenceAttention(g, c, tables, tokens, keep), options);
}

/**
 * Causal attention. The R heads that share a key are rows of one product, so that keys and values
 * need not be repeated.
 */
function sequenceAttention(
  g: Builder,
  c: DecoderConfig,
  { cos, sin }: RotaryTables,
  tokens: Value,
  keep: SequenceOptions['keep'],
): Attend {
  const [B, T] = tokens.shape as [string, string];
  const { heads: H, kvHeads: K, headDim: E } = c;
  const R = H / K;
  const RT = `${R}*${T}`;
  g.dimension(RT, g.mul(g.shapeValue([T]), g.ints([R])));
  const causalMask = causalMasks(g, c, T);
  const start = g.ints([0]);
  const rotated = (x: Value, heads: number) =>
    g.rotary(g.reshape(x, [B, T, heads * E]), start, cos, sin, heads);
  return (layer, query, key, value) => {
    const byGroup = g.transpose(g.reshape(rotated(query, H), [B, T, K, R, E]), [0, 2, 3, 1, 4]);
    const q = g.reshape(byGroup, [B, K, RT, E]);
    const byHead = (x: Value) => g.transpose(g.reshape(x, [B, T, K, E]), [0, 2, 1, 3]);
    const k = byHead(rotated(key, K));
    const v = byHead(value);
    keep?.(k, v);
    const scores = g.product(q, k, { transB: true, alpha: c.attentionScale });
    const masked = g.add(g.reshape(scores, [B, K, R, T, T]), causalMask(layer));
    const weights = g.reshape(g.softmax(masked), [B, K, RT, T]);
    const mixed = g.reshape(g.product(weights, v), [B, K, R, T, E]);
    return g.reshape(g.transpose(mixed, [0, 3, 1, 2, 4]), [`${B}*${T}`, H * E]);
  };
}

/** A layer's mask [T, T]: a query sees itself and the tokens before it, within the window. */
function causalMasks(g: Builder, c: DecoderConfig, T: string): (layer: number) => Value {
  const position = g.range(T);
  const distance = g.sub(g.reshape(position, [T, 1]), position);
  return onceByWindow(c, (window) => {
    const causal = g.lessOrEqual(0, distance);
    return maskOf(g, window ? g.and(causal, g.less(distance, window)) : causal);
  });
}
