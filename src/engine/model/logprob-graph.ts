// The log-probability graph: what a fixed policy gives to completions that are already there.
// Sequences are a prompt padded on the left and a completion padded on the right, so that logits
// are made for the completion alone. Axes: B sequences, S prompt length, C completion length.

import { Builder } from '../graph/operators.ts';
import type { Value } from '../graph/value.ts';
import type { DecoderConfig } from './config.ts';
import {
  embed,
  layers,
  logits,
  type Parameters,
  sequenceAttention,
  sequenceContext,
} from './decoder.ts';
import { type ExternalWeights, parameterInitializers } from './weights.ts';

/** Lengths of a batch of sequences. */
export interface SequenceShape {
  batch: number;
  promptLength: number;
  completionLength: number;
}

/** Values of one batch: all [B, S + C] but `targets`, which is [B, C]. */
export interface SequenceInputs {
  /** int64 token ids. */
  tokens: Value;
  /** int64, from 0 at each sequence's first token. */
  positions: Value;
  /** float32, 1 where padded on the left. */
  padding: Value;
  /** int64: the completion's tokens. */
  targets: Value;
}

/**
 * Logits at each completion token's predecessor, [B, C, V], times `inverseTemperature`.
 */
export function completionLogits(
  g: Builder,
  c: DecoderConfig,
  parameters: Parameters,
  shape: SequenceShape,
  inputs: SequenceInputs,
  inverseTemperature: Value,
): Value {
  const { promptLength: S, completionLength: C } = shape;
  const context = sequenceContext(g, c, inputs.positions, inputs.padding);
  const attend = sequenceAttention(g, c, context);
  const hidden = layers(g, c, parameters, embed(g, parameters, inputs.tokens), attend);
  const predictors = g.slice(hidden, 1, S - 1, S + C - 1);
  return g.mul(logits(g, c, parameters, predictors), inverseTemperature);
}

/** Log-probabilities [B, C] of `targets` int64 [B, C] under log-softmaxed logits [B, C, V]. */
export function targetLogprobs(g: Builder, logProbabilities: Value, targets: Value): Value {
  const [B, C] = targets.dims as [number, number];
  const picked = g.gatherElements(logProbabilities, g.reshape(targets, [B, C, 1]));
  return g.reshape(picked, [B, C]);
}

/**
 * Inputs: SequenceInputs under their names, and `inverse_temperature` float32 [].
 * Output: `logprobs` float32 [B, C]. Returns the model's bytes.
 */
export function logprobGraph(
  c: DecoderConfig,
  weights: ExternalWeights,
  shape: SequenceShape,
): Uint8Array {
  const g = new Builder();
  const { batch: B, promptLength: S, completionLength: C } = shape;
  const inputs = {
    tokens: g.input('tokens', [B, S + C], 'int64'),
    positions: g.input('positions', [B, S + C], 'int64'),
    padding: g.input('padding', [B, S + C]),
    targets: g.input('targets', [B, C], 'int64'),
  };
  const parameters = parameterInitializers(g, weights);
  const inverse = g.input('inverse_temperature', []);
  const rows = completionLogits(g, c, parameters, shape, inputs, inverse);
  return g.toModel([g.output('logprobs', targetLogprobs(g, g.logSoftmax(rows), inputs.targets))]);
}
