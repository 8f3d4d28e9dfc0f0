// Weights that graphs do not train: constants that point into a model folder's files.

import type { DataType, ExternalData, Value } from '../graph/graph.ts';
import type { Builder } from '../graph/operators.ts';
import type { DecoderConfig } from './config.ts';
import { joinProjections, type Parameters, type Weights } from './decoder.ts';
import { type AdapterShape, adapterInputs } from './lora.ts';

/** Where each parameter lies, and the files' bytes for the session. */
export interface ExternalWeights {
  parameters: ReadonlyMap<string, ExternalParameter>;
  /** By the location that `data` names. */
  files: ReadonlyMap<string, Uint8Array>;
}
export interface ExternalParameter {
  shape: readonly number[];
  dtype: DataType;
  data: ExternalData;
}

/** Parameters as initializers that point into the files, cast to float32. */
export function parameterInitializers(g: Builder, { parameters }: ExternalWeights): Parameters {
  return new Map(
    [...parameters].map(([name, { shape, dtype, data }]): [string, Value] => [
      name,
      g.cast(g.initializer(name, shape, dtype, data), 'float32'),
    ]),
  );
}

/**
 * The weights of a graph that is not differentiated. Adapters are inputs, so a session outlives
 * the adapters that it serves.
 */
export function inferenceWeights(
  g: Builder,
  c: DecoderConfig,
  external: ExternalWeights,
  adapters?: AdapterShape,
): Weights {
  const parameters = joinProjections(g, c, parameterInitializers(g, external));
  return { parameters, adapters: adapters && adapterInputs(g, c, adapters) };
}
