// The rollout graph: prompts and uniforms in, completions with log-probabilities out, one run a
// batch. The prompt's keys and values are computed once and shared by its samples; what is
// generated has a cache of two levels, a long one that grows once a chunk (outer Loop) and the
// chunk's own (inner Loop), so that no step copies the long one.
// Axes: P prompts, G samples a prompt, B = P·G, S prompt length, K key-value heads,
// R = H / K, E head size, L tokens in the long cache, C tokens in the chunk's, N at most.

import { AnnealError } from '../../errors.ts';
import { Builder } from '../graph/operators.ts';
import type { Dim, Value } from '../graph/value.ts';
import type { DecoderConfig } from '../model/config.ts';
import {
  embed,
  layers,
  logits,
  type Parameters,
  sequenceAttention,
  sequenceContext,
} from '../model/decoder.ts';
import { ropeTables } from '../model/rope.ts';
import { type ExternalWeights, parameterInitializers } from '../model/weights.ts';

/** Lengths that a rollout graph is built for. */
export interface RolloutShape {
  prompts: number;
  samplesPerPrompt: number;
  promptLength: number;
  maxNewTokens: number;
  /** Tokens between two growths of the long cache. */
  chunk: number;
  greedy: boolean;
}

/**
 * Inputs: `tokens` int64 [P, S], prompts padded on the left; `padding` float32 [P, S], 1 where
 * padded; `positions` int64 [P, S], from 0 at the first token; `uniforms` float32 [N, B, 1];
 * `inverse_temperature` float32 [].
 * Outputs: `completion` int64 [B, n] and `logprobs` float32 [B, n] at the sampling temperature,
 * n ≤ N; after a sequence's end-of-sequence token both are 0. Returns the model's bytes.
 * @throws AnnealError InvalidModel where prompt and completion outgrow a sliding window
 */
export function rolloutGraph(
  c: DecoderConfig,
  weights: ExternalWeights,
  shape: RolloutShape,
): Uint8Array {
  refuseUnsupported(c, shape);
  const g = new Builder();
  const parameters = parameterInitializers(g, weights);
  const context = rolloutInputs(g, c, shape);
  const decoder: Decoder = { c, shape, parameters, ...context };
  const { last, promptCache } = prefill(g, decoder);
  const state = firstToken(g, decoder, last);
  const [, completion, logprobs] = decode(g, { ...decoder, promptCache }, state);
  return g.toModel([g.output('completion', completion!), g.output('logprobs', logprobs!)]);
}

/** @throws AnnealError InvalidModel where this graph would sample something else than asked */
function refuseUnsupported(c: DecoderConfig, shape: RolloutShape): void {
  if (c.labels !== undefined)
    throw new AnnealError('InvalidModel', `expected a language model, found ${c.architecture}`);
  const length = shape.promptLength + shape.maxNewTokens;
  const window = Math.min(...c.windows.map((w) => w ?? Number.POSITIVE_INFINITY));
  if (window < length)
    throw new AnnealError(
      'InvalidModel',
      `expected prompt and completion within the model's sliding window of ${window} tokens, found ${length}; lower rlaif.max_new_tokens`,
    );
}

interface Decoder {
  c: DecoderConfig;
  shape: RolloutShape;
  parameters: Parameters;
  tokens: Value;
  padding: Value;
  positions: Value;
  uniforms: Value;
  inverseTemperature: Value;
  /** RoPE tables of every position [S + N, E / 2]. */
  cos: Value;
  sin: Value;
  /** Tokens of each row's prompt, int64 [B]. */
  promptLengths: Value;
  /** Added to scores over the prompt, [P, 1, 1, 1, S]. */
  promptMask: Value;
}

/** Each layer's keys [P, K, E, S] and values [P, K, S, E] of the prompt. */
type PromptCache = { key: Value; value: Value }[];

function rolloutInputs(g: Builder, c: DecoderConfig, shape: RolloutShape) {
  const { prompts: P, samplesPerPrompt: G, promptLength: S, maxNewTokens: N } = shape;
  const tokens = g.input('tokens', [P, S], 'int64');
  const padding = g.input('padding', [P, S]);
  const positions = g.input('positions', [P, S], 'int64');
  const uniforms = g.input('uniforms', [N, P * G, 1]);
  const inverseTemperature = g.input('inverse_temperature', []);
  const tables = ropeTables(c, S + N);
  const dims = [S + N, c.headDim / 2];
  const lastPosition = g.slice(positions, 1, S - 1, S);
  const repeated = g.expand(g.add(lastPosition, 1), [P, G]);
  return {
    tokens,
    padding,
    positions,
    uniforms,
    inverseTemperature,
    cos: g.constant(tables.cos, dims),
    sin: g.constant(tables.sin, dims),
    promptLengths: g.reshape(repeated, [P * G]),
    promptMask: g.reshape(g.mul(padding, -1e9), [P, 1, 1, 1, S]),
  };
}

/** The prompts through every layer: the last hidden state [P, D], and the cache. */
function prefill(g: Builder, d: Decoder) {
  const { c, shape, parameters } = d;
  const context = sequenceContext(g, c, d.positions, d.padding);
  const promptCache: PromptCache = [];
  const attend = sequenceAttention(g, c, context, (key, value) => promptCache.push({ key, value }));
  const hidden = layers(g, c, parameters, embed(g, parameters, d.tokens), attend);
  const S = shape.promptLength;
  return {
    last: g.reshape(g.slice(hidden, 1, S - 1, S), [shape.prompts, c.hiddenSize]),
    promptCache,
  };
}

/** What a step hands to the next: the last token [B, 1], who is done [B, 1], what was drawn. */
interface State {
  token: Value;
  done: Value;
  completion: Value;
  logprobs: Value;
}

function firstToken(g: Builder, d: Decoder, last: Value): State {
  const { prompts: P, samplesPerPrompt: G } = d.shape;
  const V = d.c.vocabSize;
  const each = g.reshape(logits(g, d.c, d.parameters, last), [P, 1, V]);
  const rows = g.reshape(g.expand(each, [P, G, V]), [P * G, V]);
  const drawn = draw(g, d, rows, g.ints([0], []));
  const done = isEnd(g, d.c, drawn.token);
  return { token: drawn.token, done, completion: drawn.token, logprobs: drawn.logprob };
}

/**
 * Draw from softmax(logits · 1/T) by inverse CDF: the first token whose cumulative probability
 * exceeds u. logits [B, V]; `step` int64 [] selects the uniforms. Both results [B, 1].
 */
function draw(g: Builder, d: Decoder, rows: Value, step: Value) {
  if (d.shape.greedy) {
    const token = g.argMax(rows);
    return { token, logprob: g.gatherElements(g.logSoftmax(rows), token) };
  }
  const logProbabilities = g.logSoftmax(g.mul(rows, d.inverseTemperature));
  const cumulative = g.cumSum(g.exp(logProbabilities));
  const V = d.c.vocabSize;
  // The sum of float32 probabilities is not exactly 1; measured against it, u stays inside.
  const total = g.slice(cumulative, -1, V - 1, V);
  const target = g.mul(g.gather(d.uniforms, step), total);
  const before = g.cast(g.lessOrEqual(cumulative, target), 'int64');
  const token = g.min(g.sum(before, [-1]), g.ints([V - 1]));
  return { token, logprob: g.gatherElements(logProbabilities, token) };
}

function isEnd(g: Builder, c: DecoderConfig, token: Value): Value {
  return c.eosTokenIds
    .map((id) => g.equal(token, g.ints([id])))
    .reduce((any, one) => g.or(any, one), g.less(token, g.ints([0])));
}

/** The outer Loop: chunks, until every sequence is done or N tokens are drawn. */
function decode(g: Builder, d: Decoder & { promptCache: PromptCache }, first: State): Value[] {
  const { prompts: P, samplesPerPrompt: G, maxNewTokens: N, chunk } = d.shape;
  const { kvHeads: K, headDim: E, layers: count } = d.c;
  const emptyKey = g.zeros([P, K, G, E, 0]);
  const emptyValue = g.zeros([P, K, G, 0, E]);
  const empty = Array.from({ length: count }, () => [emptyKey, emptyValue]).flat();

  const outer = g.body();
  const iteration = outer.input('chunk', [], 'int64');
  outer.input('condition', [], 'bool');
  const state = stateInputs(outer, d);
  const long = cacheInputs(outer, d, 'L');
  const base = outer.mul(iteration, chunk);

  const inner = outer.body();
  const step = inner.input('step', [], 'int64');
  inner.input('condition', [], 'bool');
  const current = stateInputs(inner, d);
  const recent = cacheInputs(inner, d, 'C');
  const drawn = inner.add(inner.add(base, step), 1);
  const next = decodeStep(inner, d, current, { long, recent }, drawn);
  inner.outputs = [
    unfinished(inner, next.state, drawn, N),
    ...stateValues(next.state),
    ...next.recent,
  ];

  const results = outer.loop(
    outer.ints([chunk], []),
    undefined,
    [...stateValues(state), ...empty],
    inner,
  );
  const [token, done, completion, logprobs] = results.slice(0, 4) as [Value, Value, Value, Value];
  const after = { token, done, completion, logprobs };
  const grown = long.map((cache, i) => outer.concat([cache, results[4 + i]!], i % 2 ? 3 : 4));
  const drawnSoFar = outer.add(base, chunk);
  outer.outputs = [unfinished(outer, after, drawnSoFar, N), ...stateValues(after), ...grown];

  const trips = g.ints([Math.ceil((N - 1) / chunk)], []);
  const more = unfinished(g, first, g.ints([0], []), N);
  const all = g.loop(trips, more, [...stateValues(first), ...empty], outer);
  return [all[0]!, all[2]!, all[3]!];
}

function stateInputs(g: Builder, d: Decoder): State {
  const B = d.shape.prompts * d.shape.samplesPerPrompt;
  return {
    token: g.input('token', [B, 1], 'int64'),
    done: g.input('done', [B, 1], 'bool'),
    completion: g.input('completion', [B, 'n'], 'int64'),
    logprobs: g.input('logprobs', [B, 'n']),
  };
}

/** Keys [P, K, G, E, length] and values [P, K, G, length, E] of each layer, in turn. */
function cacheInputs(g: Builder, d: Decoder, length: Dim): Value[] {
  const { prompts: P, samplesPerPrompt: G } = d.shape;
  const { kvHeads: K, headDim: E, layers: count } = d.c;
  return Array.from({ length: count }, () => [
    g.input('key', [P, K, G, E, length]),
    g.input('value', [P, K, G, length, E]),
  ]).flat();
}

function stateValues(state: State): Value[] {
  return [state.token, state.done, state.completion, state.logprobs];
}

/** bool []: some sequence goes on, and fewer than N tokens are drawn. `index` is of the last. */
function unfinished(g: Builder, state: State, index: Value, N: number): Value {
  const going = g.sum(g.cast(g.not(state.done), 'int64'), [0, 1], false);
  return g.and(g.less(0, going), g.less(index, N - 1));
}

interface Caches {
  long: Value[];
  recent: Value[];
}

/** One token for every sequence; `index` int64 [] is its place in the completion, from 1. */
function decodeStep(
  g: Builder,
  d: Decoder & { promptCache: PromptCache },
  state: State,
  caches: Caches,
  index: Value,
): { state: State; recent: Value[] } {
  const { c, parameters } = d;
  const B = d.shape.prompts * d.shape.samplesPerPrompt;
  const grown: Value[] = [];
  const position = g.reshape(g.add(d.promptLengths, g.sub(index, 1)), [B, 1]);
  const attend = cachedAttention(g, d, caches, position, grown);
  const x = g.reshape(embed(g, parameters, state.token), [B, c.hiddenSize]);
  const rows = logits(g, c, parameters, layers(g, c, parameters, x, attend));
  const drawn = draw(g, d, rows, index);
  const token = g.where(state.done, g.ints([0]), drawn.token);
  const logprob = g.where(state.done, 0, drawn.logprob);
  const next = {
    token,
    done: g.or(state.done, isEnd(g, c, drawn.token)),
    completion: g.concat([state.completion, token], 1),
    logprobs: g.concat([state.logprobs, logprob], 1),
  };
  return { state: next, recent: grown };
}

/**
 * One query a sequence against prompt, long and recent cache under one softmax. Against the
 * prompt the G samples and R heads that share keys are rows of one product.
 */
function cachedAttention(
  g: Builder,
  d: Decoder & { promptCache: PromptCache },
  caches: Caches,
  position: Value,
  grown: Value[],
) {
  const { prompts: P, samplesPerPrompt: G, promptLength: S } = d.shape;
  const { heads: H, kvHeads: K, headDim: E } = d.c;
  const R = H / K;
  const B = P * G;
  const rotated = (x: Value, heads: number) =>
    g.one(
      'RotaryEmbedding',
      [g.reshape(x, [B, 1, heads * E]), position, d.cos, d.sin],
      [B, 1, heads * E],
      {
        domain: 'com.microsoft',
        attributes: { num_heads: heads },
      },
    );
  const byHead = (x: Value, rows: number) =>
    g.transpose(g.reshape(x, [P, G, K, rows, E]), [0, 2, 1, 3, 4]);

  return (layer: number, query: Value, key: Value, value: Value): Value => {
    const q = byHead(g.mul(rotated(query, H), 1 / Math.sqrt(E)), R);
    const k = g.reshape(byHead(rotated(key, K), 1), [P, K, G, E, 1]);
    const recentKey = g.concat([caches.recent[2 * layer]!, k], 4);
    const recentValue = g.concat([caches.recent[2 * layer + 1]!, byHead(value, 1)], 3);
    grown.push(recentKey, recentValue);
    const { key: promptKey, value: promptValue } = d.promptCache[layer]!;
    const [longKey, longValue] = caches.long.slice(2 * layer) as [Value, Value];

    const onPrompt = g.reshape(g.matmul(g.reshape(q, [P, K, G * R, E]), promptKey), [
      P,
      K,
      G,
      R,
      S,
    ]);
    const scores = [g.add(onPrompt, d.promptMask), g.matmul(q, longKey), g.matmul(q, recentKey)];
    const weights = g.softmax(g.concat(scores, 4));
    const lengths = g.concat([g.ints([S]), lengthOf(g, longKey), lengthOf(g, recentKey)], 0);
    const parts = g.node(
      'Split',
      [weights, lengths],
      scores.map(({ shape }) => ({ shape })),
      { attributes: { axis: 4 } },
    ) as [Value, Value, Value];
    const fromPrompt = g.matmul(g.reshape(parts[0], [P, K, G * R, S]), promptValue);
    const mixed = g.add(
      g.reshape(fromPrompt, [P, K, G, R, E]),
      g.add(g.matmul(parts[1], longValue), g.matmul(parts[2], recentValue)),
    );
    return g.reshape(g.transpose(mixed, [0, 2, 1, 3, 4]), [B, H * E]);
  };
}

/** Length of a key cache's last axis, int64 [1]. */
function lengthOf(g: Builder, key: Value): Value {
  return g.one('Shape', [key], [1], { dtype: 'int64', attributes: { start: 4 } });
}
