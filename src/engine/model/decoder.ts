// The decoder's layers as graph nodes, shared by all three graphs (rollout, log-probabilities,
// training). Attention over a whole sequence is here; attention with a cache is the rollout's.
// Axes: B batch, T time, D model width, H heads, K key-value heads, R = H / K, E head size.

import type { Builder } from '../graph/operators.ts';
import type { Value } from '../graph/value.ts';
import type { DecoderConfig } from './config.ts';
import { parameterSpecs } from './parameters.ts';
import { ropeTables } from './rope.ts';

/** Parameters by their Hugging Face name, as values of a graph. */
export type Parameters = ReadonlyMap<string, Value>;

/** Keys, queries and values of one layer in, attention's result [..., H·E] out. */
export type Attend = (layer: number, query: Value, key: Value, value: Value) => Value;

/** All parameters as inputs of a float32 graph, each name behind `prefix`. */
export function parameterInputs(g: Builder, c: DecoderConfig, prefix = ''): Parameters {
  return new Map(parameterSpecs(c).map(({ name, shape }) => [name, g.input(prefix + name, shape)]));
}

function parameter(parameters: Parameters, name: string): Value {
  const value = parameters.get(name);
  if (!value) throw new Error(`the decoder has no parameter ${name}`);
  return value;
}

/** Token ids [...] to embeddings [..., D]. */
export function embed(g: Builder, parameters: Parameters, ids: Value): Value {
  return g.gather(parameter(parameters, 'model.embed_tokens.weight'), ids);
}

/** Every layer in turn over x [..., D]. */
export function layers(
  g: Builder,
  c: DecoderConfig,
  parameters: Parameters,
  x: Value,
  attend: Attend,
): Value {
  for (let i = 0; i < c.layers; i++)
    x = g.scope(`layers.${i}`, () => decoderLayer(g, c, parameters, i, x, attend));
  return x;
}

function decoderLayer(
  g: Builder,
  c: DecoderConfig,
  parameters: Parameters,
  i: number,
  x: Value,
  attend: Attend,
): Value {
  const at = (name: string) => `model.layers.${i}.${name}`;
  const norm = (name: string, input: Value) =>
    g.rmsNorm(input, parameter(parameters, at(`${name}.weight`)), c.normEpsilon);
  const project = (name: string, input: Value) => linear(g, parameters, at(name), input);
  const h = norm('input_layernorm', x);
  const attended = g.scope('attn', () => {
    const heads = (name: string) => {
      const projected = project(`self_attn.${name}_proj`, h);
      if (!c.queryKeyNorm || name === 'v') return projected;
      const split = g.reshape(projected, [
        ...x.dims.slice(0, -1),
        projected.dim(-1) / c.headDim,
        c.headDim,
      ]);
      return g.reshape(norm(`self_attn.${name}_norm`, split), projected.shape);
    };
    return project('self_attn.o_proj', attend(i, heads('q'), heads('k'), heads('v')));
  });
  const residual = g.add(x, attended);
  const normed = norm('post_attention_layernorm', residual);
  return g.scope('mlp', () => {
    const gate = project('mlp.gate_proj', normed);
    const activated = g.mul(g.mul(gate, g.sigmoid(gate)), project('mlp.up_proj', normed));
    return g.add(residual, project('mlp.down_proj', activated));
  });
}

/** x times the weight of that name, plus its bias where there is one. */
function linear(g: Builder, parameters: Parameters, name: string, x: Value): Value {
  const out = g.linear(x, parameter(parameters, `${name}.weight`));
  const bias = parameters.get(`${name}.bias`);
  return bias ? g.add(out, bias) : out;
}

/** Hidden states [..., D] to logits [..., V], or to a classifier's scores [..., labels]. */
export function logits(g: Builder, c: DecoderConfig, parameters: Parameters, x: Value): Value {
  const normed = g.rmsNorm(x, parameter(parameters, 'model.norm.weight'), c.normEpsilon);
  return g.linear(normed, parameter(parameters, headName(c)));
}

function headName(c: DecoderConfig): string {
  if (c.labels !== undefined) return 'score.weight';
  return c.tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';
}

/** Rotate x [B, T, heads, E] by cos and sin [B, T, 1, E / 2]. */
export function rotate(g: Builder, x: Value, cos: Value, sin: Value): Value {
  const half = x.dim(-1) / 2;
  const [a, b] = [g.slice(x, -1, 0, half), g.slice(x, -1, half, 2 * half)];
  const turned = [g.sub(g.mul(a, cos), g.mul(b, sin)), g.add(g.mul(b, cos), g.mul(a, sin))];
  return g.concat(turned, -1);
}

/** What every layer of a full-sequence pass shares. */
export interface SequenceContext {
  /** cos and sin at each token's position, [B, T, 1, E / 2]. */
  cos: Value;
  sin: Value;
  /** A layer's mask by its window; made once for each length of window. */
  maskOf: (layer: number) => Value;
}

/** From positions int64 [B, T] and padding float32 [B, T] (0 for a token, 1 for padding). */
export function sequenceContext(
  g: Builder,
  c: DecoderConfig,
  positions: Value,
  padding: Value,
): SequenceContext {
  const [batch, time] = positions.dims as [number, number];
  const { cos, sin } = ropeTables(c, time);
  const half = c.headDim / 2;
  const at = (table: Float32Array) =>
    g.reshape(g.gather(g.constant(table, [time, half]), positions), [batch, time, 1, half]);
  const keys = g.reshape(g.mul(padding, masked), [batch, 1, 1, 1, time]);
  const masks = new Map<number | undefined, Value>();
  const maskOf = (layer: number) => {
    const window = c.windows[layer];
    const known = masks.get(window);
    if (known) return known;
    const visible = g.constant(visibility(time, window), [1, 1, 1, time, time]);
    const mask = g.add(keys, visible);
    masks.set(window, mask);
    return mask;
  };
  return { cos: at(cos), sin: at(sin), maskOf };
}

/** [time, time], 0 where the query (row) sees the key (column): itself and what is before it. */
function visibility(time: number, window = time): Float32Array {
  return Float32Array.from({ length: time * time }, (_, i) => {
    const distance = Math.floor(i / time) - (i % time);
    return distance >= 0 && distance < window ? 0 : masked;
  });
}

/** Scores of masked positions: far under any real score, and no NaN where all are masked. */
const masked = -1e9;

/**
 * Causal attention over whole sequences. query [B, T, H·E], key and value [B, T, K·E]
 * → [B, T, H·E]. The R heads that share a key are rows of one product, so keys and values are
 * never repeated. `keep` is handed each layer's rotated keys [B, K, E, T] and values [B, K, T, E].
 */
export function sequenceAttention(
  g: Builder,
  c: DecoderConfig,
  context: SequenceContext,
  keep?: (key: Value, value: Value) => void,
): Attend {
  const { heads, kvHeads, headDim } = c;
  const shared = heads / kvHeads;
  return (layer, query, key, value) => {
    const [batch, time] = query.dims as [number, number, number];
    const split = (x: Value, n: number) => g.reshape(x, [batch, time, n, headDim]);
    const turned = (x: Value, n: number) => rotate(g, split(x, n), context.cos, context.sin);
    const q = g.reshape(g.transpose(turned(query, heads), [0, 2, 1, 3]), [
      batch,
      kvHeads,
      shared * time,
      headDim,
    ]);
    const k = g.transpose(turned(key, kvHeads), [0, 2, 3, 1]);
    const v = g.transpose(split(value, kvHeads), [0, 2, 1, 3]);
    keep?.(k, v);
    const scores = g.mul(g.matmul(q, k), 1 / Math.sqrt(headDim));
    const grouped = g.reshape(scores, [batch, kvHeads, shared, time, time]);
    const weights = g.softmax(g.add(grouped, context.maskOf(layer)));
    const flat = g.reshape(weights, [batch, kvHeads, shared * time, time]);
    const mixed = g.reshape(g.matmul(flat, v), [batch, heads, time, headDim]);
    return g.reshape(g.transpose(mixed, [0, 2, 1, 3]), [batch, time, heads * headDim]);
  };
}
