// The weights of graphs that are not differentiated: constants that point into a folder's files,
// and adapters as inputs, so that a session outlives the adapters that it serves.

import { type ExternalWeights, parameterInitializers } from '../files/weights.ts';
import type { Builder } from '../graph/operators.ts';
import type { DecoderConfig } from './config.ts';
import { joinProjections, type Weights } from './decoder.ts';
import { type AdapterShape, adapterInputs } from './lora.ts';

export function inferenceWeights(
  g: Builder,
  c: DecoderConfig,
  external: ExternalWeights,
  adapters?: AdapterShape,
): Weights {
  const parameters = joinProjections(g, c, parameterInitializers(g, external));
  return { parameters, adapters: adapters && adapterInputs(g, c, adapters) };
}
