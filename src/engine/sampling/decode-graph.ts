// The decode graph: draws a chunk of tokens for each sequence of a batch in one Loop. Samples share
// the keys and values of their prompt. Those of the completion so far are an input (`past`); those
// of the chunk (`recent`) grow from step to step and are an output, so that no step copies more than
// a chunk. The caller appends them, drops finished sequences and runs the next chunk.
//
// A sequence's numbers do not depend on its batch: prompts are padded at the end to a multiple that
// keeps the order of every sum, and no product mixes sequences.
//
// Axes: P prompts, G samples of a prompt, B = P·G, S prompt length, L past tokens, C tokens of the
// chunk so far, N tokens of the chunk, K key-value heads, R = H / K, E head size, V vocabulary.

import type { Shape, Value } from '../graph/graph.ts';
import { Builder } from '../graph/operators.ts';
import { serializeModel } from '../graph/serialize.ts';
import type { DecoderConfig } from '../model/config.ts';
import { type Attend, embed, layers, logits, type Weights } from '../model/decoder.ts';
import { type ExternalWeights, inferenceWeights } from '../model/external-weights.ts';
import type { AdapterShape } from '../model/lora.ts';
import { type RotaryTables, rotaryInputs } from '../model/sequence.ts';
import { cacheMasks, type StepPosition } from './cache-masks.ts';
import { type DrawOptions, draw, drawInputs } from './draw.ts';
import { type Cache, promptAttention } from './prompt-attention.ts';

export interface DecodeOptions extends DrawOptions {
  /** Attend to a prompt for all its samples in one product: worth its transposes for long prompts. */
  gatherSamples: boolean;
}

/** Shared by all steps of a chunk. */
interface Context {
  c: DecoderConfig;
  gatherSamples: boolean;
  weights: Weights;
  tables: RotaryTables;
  /** Tokens of each prompt, int64 [P, 1]. */
  promptLengths: Value;
  /** By layer: the prompts' [P, 1, K, S, E], and the completions' so far [P, G, K, L, E]. */
  prompt: Cache[];
  past: Cache[];
}

/**
 * Inputs: `token` int64 [B, 1], the last of each sequence; `prompt_lengths` int64 [P, 1];
 * `uniforms` float32 [N, P, G]; by layer `prompt_key.i`, `prompt_value.i` [P, 1, K, S, E] and
 * `past_key.i`, `past_value.i` [P, G, K, L, E]; the draw's scalars, RoPE's tables, adapters.
 * Outputs: `tokens` int64 [N, B, 1], `probabilities` float32 [N, B, 1], and by layer the chunk's
 * `key.i` and `value.i` [P, G, K, N, E]. Returns the model's bytes.
 */
export function decodeGraph(
  c: DecoderConfig,
  external: ExternalWeights,
  options: DecodeOptions,
  adapters?: AdapterShape,
): Uint8Array {
  const g = new Builder();
  const uniforms = g.shapedInput('uniforms', ['N', 'P', 'G']);
  g.dimension('B', g.mul(g.shapeValue(['P']), g.shapeValue(['G'])));
  const first = g.input('token', ['B', 1], 'int64');
  const context: Context = {
    c,
    gatherSamples: options.gatherSamples,
    weights: inferenceWeights(g, c, external, adapters),
    tables: rotaryInputs(g, c),
    promptLengths: g.input('prompt_lengths', ['P', 1], 'int64'),
    prompt: cacheInputs(g, c, 'prompt', ['P', 1, c.kvHeads, 'S', c.headDim]),
    past: cacheInputs(g, c, 'past', ['P', 'G', c.kvHeads, 'L', c.headDim]),
  };
  const inputs = drawInputs(g, options);
  const u = g.reshape(uniforms, ['N', 'B', 1]);

  const body = g.body();
  const step = body.input('step', [], 'int64');
  const condition = body.input('condition', [], 'bool');
  const token = body.input('token', ['B', 1], 'int64');
  const recent = cacheInputs(body, c, 'recent', ['P', 'G', c.kvHeads, 'C', c.headDim]);
  const { hidden, grown } = decodeStep(body, context, step, token, recent);
  const rows = logits(body, c, context.weights, hidden, inputs.inverseTemperature);
  const drawn = draw(body, options, inputs, rows, body.gather(u, step));
  const scanned = [body.identity(drawn.token), drawn.probability];
  body.outputs = [body.identity(condition), drawn.token, ...grown.flatMap(values), ...scanned];

  const empty = g.zeros(['P', 'G', c.kvHeads, 0, c.headDim]);
  const carried = [first, ...recent.flatMap(() => [empty, empty])];
  const steps = g.reshape(g.shapeValue(['N']), []);
  const results = g.loop(steps, undefined, carried, body);
  const caches = results.slice(1, -2).map((value, i) => {
    return g.output(`${i % 2 ? 'value' : 'key'}.${Math.floor(i / 2)}`, value);
  });
  const [tokens, probabilities] = results.slice(-2) as [Value, Value];
  return serializeModel(g, [
    g.output('tokens', tokens),
    g.output('probabilities', probabilities),
    ...caches,
  ]);
}

const values = ({ key, value }: Cache) => [key, value];

function cacheInputs(g: Builder, c: DecoderConfig, name: string, shape: Shape): Cache[] {
  return Array.from({ length: c.layers }, (_, i) => ({
    key: g.shapedInput(`${name}_key.${i}`, shape),
    value: g.shapedInput(`${name}_value.${i}`, shape),
  }));
}

/** One token of each sequence through the layers: hidden states [B, D] and the grown caches. */
function decodeStep(g: Builder, x: Context, step: Value, token: Value, recent: Cache[]) {
  const { c, weights } = x;
  const index = g.add(g.reshape(g.shapeValue(['L']), []), step);
  const positions = g.add(x.promptLengths, index);
  const grown: Cache[] = [];
  const attend = cachedAttention(g, x, { step, index, positions }, recent, grown);
  const ids = g.reshape(token, ['B']);
  return { hidden: layers(g, c, weights, embed(g, weights, ids), attend), grown };
}

/** One query of each sequence against prompt, past and recent cache, under one softmax. */
function cachedAttention(
  g: Builder,
  { c, gatherSamples, tables, promptLengths, prompt, past }: Context,
  position: StepPosition,
  recent: Cache[],
  grown: Cache[],
): Attend {
  const { heads: H, kvHeads: K, headDim: E } = c;
  const R = H / K;
  const positions = g.reshape(g.expand(position.positions, ['P', 'G']), ['B', 1]);
  const rotated = (x: Value, heads: number) =>
    g.rotary(g.reshape(x, ['B', 1, heads * E]), positions, tables.cos, tables.sin, heads);
  const masksOf = cacheMasks(g, c, promptLengths, position);
  const chunkLength = g.reshape(g.add(position.step, 1), [1]);
  const lengths = g.concat([g.shapeValue(['S']), g.shapeValue(['L']), chunkLength], 0);
  return (layer, query, key, value) => {
    const q = g.reshape(rotated(query, H), ['P', 'G', K, R, E]);
    const oneToken = (x: Value) => g.reshape(x, ['P', 'G', K, 1, E]);
    const chunk = {
      key: g.concat([recent[layer]!.key, oneToken(rotated(key, K))], 3),
      value: g.concat([recent[layer]!.value, oneToken(value)], 3),
    };
    grown.push(chunk);
    const completion = [past[layer]!, chunk];
    const shared = promptAttention(g, c, prompt[layer]!, gatherSamples);
    const raw = [
      shared.scores(q),
      ...completion.map(({ key }) => g.product(q, key, { transB: true, alpha: c.attentionScale })),
    ];
    const masks = masksOf(layer);
    const scores = raw.map((score, i) => (masks[i] ? g.add(score, masks[i]) : score));
    const weights = g.splitBy(g.softmax(g.concat(scores, 4)), lengths, ['S', 'L', 'C+1']);
    const parts = [
      shared.mix(weights[0]!),
      ...completion.map(({ value }, i) => g.product(weights[i + 1]!, value)),
    ];
    return g.reshape(g.addAll(parts), ['B', H * E]);
  };
}
