// The prefill graph: computes the prompts' keys and values and draws each sample's first token. It
// runs once per batch; decode-graph.ts draws the rest.
// Axes: P prompts, S prompt length, G samples of a prompt, B = P·G, K key-value heads, E head size.

import { AnnealError } from '../../errors.ts';
import type { Value } from '../graph/graph.ts';
import { Builder } from '../graph/operators.ts';
import { serializeModel } from '../graph/serialize.ts';
import type { DecoderConfig } from '../model/config.ts';
import { logits } from '../model/decoder.ts';
import { type ExternalWeights, inferenceWeights } from '../model/external-weights.ts';
import type { AdapterShape } from '../model/lora.ts';
import { rotaryInputs, sequenceHidden } from '../model/sequence.ts';
import { type DrawOptions, draw, drawInputs } from './draw.ts';

/**
 * Inputs: `tokens` int64 [P, S], prompts padded on the right; `last` int64 [P], the row p·S + s
 * of each prompt's last token; `uniforms` float32 [P, G]; the draw's scalars, RoPE's tables,
 * adapters. Outputs: `token` int64 [B, 1] and `probability` float32 [B, 1], and each layer's
 * `key.i` and `value.i` [P, K, S, E]. Returns the model's bytes.
 * @throws AnnealError InvalidModel for a classifier
 */
export function prefillGraph(
  c: DecoderConfig,
  external: ExternalWeights,
  options: DrawOptions,
  adapters?: AdapterShape,
): Uint8Array {
  if (c.labels !== undefined)
    throw new AnnealError('InvalidModel', `expected a language model, found ${c.architecture}`);
  const g = new Builder();
  const tokens = g.shapedInput('tokens', ['P', 'S'], 'int64');
  const rows = g.input('last', ['P'], 'int64');
  const uniforms = g.shapedInput('uniforms', ['P', 'G']);
  const inputs = drawInputs(g, options);
  const weights = inferenceWeights(g, c, external, adapters);
  g.dimension('B', g.mul(g.shapeValue(['P']), g.shapeValue(['G'])));
  const cache: Value[] = [];
  const hidden = sequenceHidden(g, c, weights, rotaryInputs(g, c), tokens, {
    rows,
    keep: (key, value) => {
      const layer = cache.length / 2;
      cache.push(g.output(`key.${layer}`, key), g.output(`value.${layer}`, value));
    },
  });
  const V = c.vocabSize;
  const byPrompt = g.reshape(logits(g, c, weights, hidden, inputs.inverseTemperature), ['P', 1, V]);
  const bySample = g.reshape(g.expand(byPrompt, ['P', 'G', V]), ['B', V]);
  const { token, probability } = draw(g, options, inputs, bySample, g.reshape(uniforms, ['B', 1]));
  return serializeModel(g, [
    g.output('token', token),
    g.output('probability', probability),
    ...cache,
  ]);
}
