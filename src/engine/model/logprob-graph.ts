// The log-probability graph: log-probabilities of given tokens. Logits are computed only
// where they are needed. Axes: B sequences, T time, M tokens to score.

import type { Value } from '../graph/graph.ts';
import { Builder } from '../graph/operators.ts';
import { serializeModel } from '../graph/serialize.ts';
import type { DecoderConfig } from './config.ts';
import { logits, type Weights } from './decoder.ts';
import { type ExternalWeights, inferenceWeights } from './external-weights.ts';
import type { AdapterShape } from './lora.ts';
import {
  type RotaryTables,
  rotaryInputs,
  type SequenceOptions,
  sequenceHidden,
} from './sequence.ts';

/** A batch of sequences, padded on the right, and the tokens to score. */
export interface SequenceInputs {
  /** int64 [B, T]. */
  tokens: Value;
  /** int64 [M]: row b·T + t of the token before each target. */
  predictors: Value;
  /** int64 [M]: the tokens to score. */
  targets: Value;
}

/** Log-softmaxed logits [M, V] of the predictors, at `inverseTemperature`. */
export function predictedLogprobs(
  g: Builder,
  c: DecoderConfig,
  weights: Weights,
  tables: RotaryTables,
  inputs: SequenceInputs,
  inverseTemperature: Value,
  options: SequenceOptions = {},
): Value {
  const hidden = sequenceHidden(g, c, weights, tables, inputs.tokens, {
    ...options,
    rows: inputs.predictors,
  });
  return g.logSoftmax(logits(g, c, weights, hidden, inverseTemperature));
}

/** Log-probabilities [M] of `targets` int64 [M] under [M, V]. */
export function targetLogprobs(g: Builder, logProbabilities: Value, targets: Value): Value {
  const [M] = targets.shape;
  return g.reshape(g.gatherElements(logProbabilities, g.reshape(targets, [M!, 1])), [M!]);
}

/**
 * Inputs: `tokens` int64 [B, T], `predictors` and `targets` int64 [M], `inverse_temperature`
 * float32 [], RoPE's tables, and adapters, if any.
 * Output: `logprobs` float32 [M]. Returns the model's bytes.
 */
export function logprobGraph(
  c: DecoderConfig,
  external: ExternalWeights,
  adapters?: AdapterShape,
): Uint8Array {
  const g = new Builder();
  const inputs = {
    tokens: g.shapedInput('tokens', ['B', 'T'], 'int64'),
    predictors: g.shapedInput('predictors', ['M'], 'int64'),
    targets: g.input('targets', ['M'], 'int64'),
  };
  const weights = inferenceWeights(g, c, external, adapters);
  const inverse = g.input('inverse_temperature', []);
  const rows = predictedLogprobs(g, c, weights, rotaryInputs(g, c), inputs, inverse);
  return serializeModel(g, [g.output('logprobs', targetLogprobs(g, rows, inputs.targets))]);
}

/**
 * The model's output at given rows: next-token logits, or the scores of a classifier (a reward
 * model).
 * Inputs: `tokens` int64 [B, T], `predictors` int64 [M], RoPE's tables, adapters.
 * Output: `logits` float32 [M, V], or [M, labels] for a classifier. Returns the model's bytes.
 */
export function logitsGraph(
  c: DecoderConfig,
  external: ExternalWeights,
  adapters?: AdapterShape,
): Uint8Array {
  const g = new Builder();
  const tokens = g.shapedInput('tokens', ['B', 'T'], 'int64');
  const rows = g.shapedInput('predictors', ['M'], 'int64');
  const weights = inferenceWeights(g, c, external, adapters);
  const hidden = sequenceHidden(g, c, weights, rotaryInputs(g, c), tokens, { rows });
  return serializeModel(g, [g.output('logits', logits(g, c, weights, hidden))]);
}
