// The decoder's layers as graph nodes, shared by all graphs (rollout, log-probabilities,
// training). They work on rows [N, D], one per token. Attention is passed in: sequence.ts for whole
// sequences, ../sampling for one token against a cache.
// Axes: N rows, D model width, H heads, K key-value heads, E head size, V vocabulary, r LoRA rank.

import type { Segment } from '../autodiff/backward.ts';
import type { Value } from '../graph/graph.ts';
import type { Builder } from '../graph/operators.ts';
import type { DecoderConfig } from './config.ts';
import type { AdapterInputs } from './lora.ts';
import { embeddingsName, headName, parameterSpecs, scoreName } from './parameters.ts';

/** Parameters by their Hugging Face name, as values of a graph. */
export type Parameters = ReadonlyMap<string, Value>;

/** The parameters a graph computes with, and adapters over some of them. */
export interface Weights {
  parameters: Parameters;
  adapters?: AdapterInputs | undefined;
}

/** One layer's attention: queries [N, H·E], keys and values [N, K·E] → [N, H·E]. */
export type Attend = (layer: number, query: Value, key: Value, value: Value) => Value;

/** All parameters as float32 inputs, each name prefixed with `prefix`. */
export function parameterInputs(g: Builder, c: DecoderConfig, prefix = ''): Parameters {
  return new Map(parameterSpecs(c).map(({ name, shape }) => [name, g.input(prefix + name, shape)]));
}

function parameter({ parameters }: Weights, name: string): Value {
  const value = parameters.get(name);
  if (!value) throw new Error(`the decoder has no parameter ${name}`);
  return value;
}

/** Token ids [N] to embeddings [N, D]. */
export function embed(g: Builder, weights: Weights, ids: Value): Value {
  return g.gather(parameter(weights, embeddingsName), ids);
}

const attentionProjections = ['q', 'k', 'v'].map((name) => `self_attn.${name}_proj`);
const joined = 'self_attn.qkv_proj';

/**
 * Concatenate constant query, key and value weights, so that a step computes one product instead of
 * three. For graphs that are not differentiated.
 */
export function joinProjections(g: Builder, c: DecoderConfig, parameters: Parameters): Parameters {
  const result = new Map(parameters);
  for (let i = 0; i < c.layers; i++)
    for (const kind of ['weight', 'bias']) {
      const names = attentionProjections.map((name) => `model.layers.${i}.${name}.${kind}`);
      if (!parameters.has(names[0]!)) continue;
      const parts = names.map((name) => parameters.get(name)!);
      result.set(`model.layers.${i}.${joined}.${kind}`, g.concat(parts, 0));
    }
  return result;
}

export interface LayerOptions {
  /** Rows int64 [M], all different, to compute in the last layer; all by default. */
  rows?: Value;
  /** Receives a segment for each layer, for a backward pass that recomputes them. */
  segments?: Segment[];
}

/** All layers over x [N, D] → [N, D], or [M, D] if rows are selected. */
export function layers(
  g: Builder,
  c: DecoderConfig,
  weights: Weights,
  x: Value,
  attend: Attend,
  { rows, segments }: LayerOptions = {},
): Value {
  for (let i = 0; i < c.layers; i++) {
    const input = x;
    const from = g.nodes.length;
    const selected = i === c.layers - 1 ? rows : undefined;
    x = g.scope(`layers.${i}`, () => decoderLayer(g, c, weights, i, input, attend, selected));
    segments?.push({ from, to: g.nodes.length, input, output: x });
  }
  return x;
}

function decoderLayer(
  g: Builder,
  c: DecoderConfig,
  weights: Weights,
  i: number,
  x: Value,
  attend: Attend,
  rows: Value | undefined,
): Value {
  const at = (name: string) => `model.layers.${i}.${name}`;
  const norm = (name: string, input: Value) =>
    g.rmsNorm(input, parameter(weights, at(`${name}.weight`)), c.normEpsilon);
  const attended = g.scope('attn', () => {
    const [q, k, v] = queryKeyValue(g, c, weights, at, norm('input_layernorm', x));
    return attend(i, headNorm('q', q!), headNorm('k', k!), v!);
  });
  const select = (value: Value) => (rows ? g.gather(value, rows, { distinct: true }) : value);
  const residual = g.scope('attn', () =>
    project(g, weights, at('self_attn.o_proj'), select(attended), select(x)),
  );
  const normed = norm('post_attention_layernorm', residual);
  return g.scope('mlp', () => {
    const gate = g.silu(project(g, weights, at('mlp.gate_proj'), normed));
    const gated = g.mul(gate, project(g, weights, at('mlp.up_proj'), normed));
    return project(g, weights, at('mlp.down_proj'), gated, residual);
  });

  function headNorm(name: 'q' | 'k', projected: Value): Value {
    if (!c.queryKeyNorm) return projected;
    const split = g.reshape(projected, [
      projected.shape[0]!,
      projected.dim(-1) / c.headDim,
      c.headDim,
    ]);
    return g.reshape(norm(`self_attn.${name}_norm`, split), projected.shape);
  }
}

/** Queries, keys and values of normalised rows [N, D]. */
function queryKeyValue(
  g: Builder,
  c: DecoderConfig,
  weights: Weights,
  at: (name: string) => string,
  x: Value,
): Value[] {
  if (!weights.parameters.has(`${at(joined)}.weight`))
    return attentionProjections.map((name) => project(g, weights, at(name), x));
  const widths = [c.heads, c.kvHeads, c.kvHeads].map((heads) => heads * c.headDim);
  const parts = g.split(base(g, weights, at(joined), x), widths);
  return parts.map((part, i) => adapt(g, weights, at(attentionProjections[i]!), x, part));
}

/** x [N, in] through the named projection and its adapter, plus `residual`. */
function project(g: Builder, weights: Weights, name: string, x: Value, residual?: Value): Value {
  return adapt(g, weights, name, x, base(g, weights, name, x, residual));
}

function base(g: Builder, weights: Weights, name: string, x: Value, residual?: Value): Value {
  const weight = parameter(weights, `${name}.weight`);
  const bias = weights.parameters.get(`${name}.bias`);
  const out = g.linear(x, weight, bias ?? residual);
  return bias && residual ? g.add(out, residual) : out;
}

/** out + scale · (x·Aᵀ)·Bᵀ if the projection has an adapter (LoRA, arXiv 2106.09685). */
function adapt(g: Builder, weights: Weights, name: string, x: Value, out: Value): Value {
  const adapter = weights.adapters?.modules.get(name);
  if (!adapter) return out;
  const low = g.mul(g.linear(x, adapter.a), weights.adapters!.scale);
  return g.linear(low, adapter.b, out);
}

/**
 * Hidden states [N, D] to logits [N, V], or to a classifier's scores [N, labels]. `scale` is an
 * inverse temperature, applied to the narrower hidden states.
 */
export function logits(
  g: Builder,
  c: DecoderConfig,
  weights: Weights,
  x: Value,
  scale?: Value,
): Value {
  const normed = g.rmsNorm(x, parameter(weights, 'model.norm.weight'), c.normEpsilon);
  return g.linear(
    scale ? g.mul(normed, scale) : normed,
    weights.adapters?.head ?? parameter(weights, outputName(c)),
  );
}

function outputName(c: DecoderConfig): string {
  if (c.labels !== undefined) return scoreName;
  return c.tiedEmbeddings ? embeddingsName : headName;
}
