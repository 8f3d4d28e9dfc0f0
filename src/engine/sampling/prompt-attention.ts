// Attention over a prompt's keys and values, which its samples share.
// Axes: P prompts, G samples of a prompt, S prompt length, K key-value heads, R = H / K, E head size.

import type { Value } from '../graph/graph.ts';
import type { Builder } from '../graph/operators.ts';
import type { DecoderConfig } from '../model/config.ts';

/** A layer's keys and values. */
export interface Cache {
  key: Value;
  value: Value;
}

interface PromptAttention {
  /** Queries [P, G, K, R, E] to scores [P, G, K, R, S]. */
  scores(query: Value): Value;
  /** The values weighted by [P, G, K, R, S] → [P, G, K, R, E]. */
  mix(weights: Value): Value;
}

/**
 * Attention over a prompt's cache [P, 1, K, S, E], broadcast over its samples. With `gather`, the
 * G·R queries that share a key are rows of one product, which reads the cache once for all of them.
 * Both give the same bits, since a row's product does not depend on the other rows.
 */
export function promptAttention(
  g: Builder,
  c: DecoderConfig,
  { key, value }: Cache,
  gather: boolean,
): PromptAttention {
  const { kvHeads: K, headDim: E } = c;
  const scale = { transB: true, alpha: c.attentionScale };
  if (!gather)
    return {
      scores: (query) => g.product(query, key, scale),
      mix: (weights) => g.product(weights, value),
    };
  const R = c.heads / K;
  const GR = `G·${R}`;
  const outer = g.outer;
  outer.dimension(GR, outer.mul(outer.shapeValue(['G']), outer.ints([R])));
  const swap = (x: Value) => g.transpose(x, [0, 2, 1, 3, 4]);
  const cache = (x: Value) => outer.reshape(x, ['P', K, 'S', E]);
  const gathered = (x: Value) => g.reshape(swap(x), ['P', K, GR, x.shape[4]!]);
  const scattered = (x: Value) => swap(g.reshape(x, ['P', K, 'G', R, x.shape[3]!]));
  return {
    scores: (query) => scattered(g.product(gathered(query), cache(key), scale)),
    mix: (weights) => scattered(g.product(gathered(weights), cache(value))),
  };
}
