// The policy-gradient graph: the gradients of an optimiser step in one run. Each microbatch is as
// long as its longest sequence. gradient-graph.ts loops over them.
// Axes: B samples and T tokens of a microbatch, M tokens learned in it.

import type { DataType, Value } from '../../engine/graph/graph.ts';
import type { Builder } from '../../engine/graph/operators.ts';
import type { DecoderConfig } from '../../engine/model/config.ts';
import { predictedLogprobs } from '../../engine/model/logprob-graph.ts';
import { rotaryInputs } from '../../engine/model/sequence.ts';
import { type GradientOptions, gradientGraph } from '../../engine/training/gradient-graph.ts';
import { type ObjectiveInputs, type ObjectiveKind, objective } from './objective.ts';

/** Inputs with one number per learned token of all microbatches, float32 [ΣM]. */
export const tokenInputs = [
  'weight',
  'advantage',
  'reward',
  'old_logprobs',
  'reference_logprobs',
] as const;
type TokenInput = (typeof tokenInputs)[number];

/** Scalar inputs of the objective, float32 []. */
export const scalarInputs = [
  'inverse_temperature',
  'kl_coefficient',
  'ratio_low',
  'ratio_high',
] as const;
export type ScalarInput = (typeof scalarInputs)[number];

export interface TrainingOptions extends GradientOptions {
  kind: ObjectiveKind;
}

/**
 * Inputs in addition to those of gradient-graph.ts: microbatches in the layout of packing.ts
 * (`layout`, `tokens`, `predictors`, `targets`), the token inputs, the scalars, and RoPE's tables.
 * `stats` is float32 [8] (order of objectiveStats). Returns the model's bytes.
 */
export function trainingGraph(c: DecoderConfig, options: TrainingOptions): Uint8Array {
  return gradientGraph(c, options, (g, weights) => {
    const scalars = scalarValues(g);
    const inputs = batchInputs(g);
    const tables = rotaryInputs(g, c);
    return {
      layout: inputs.layout,
      at(body, row, segments) {
        const x = microbatch(body, inputs, row);
        const temperature = scalars.inverse_temperature;
        const rows = predictedLogprobs(body, c, weights, tables, x, temperature, { segments });
        return objective(body, options.kind, rows, objectiveInputs(x, scalars));
      },
    };
  });
}

function scalarValues(g: Builder): Record<ScalarInput, Value> {
  const inputs = scalarInputs.map((name) => [name, g.input(name, [])] as const);
  return Object.fromEntries(inputs) as Record<ScalarInput, Value>;
}

type BatchInputs = Record<'layout' | 'tokens' | 'predictors' | 'targets' | TokenInput, Value>;

function batchInputs(g: Builder): BatchInputs {
  const perToken = (name: string, dtype: DataType = 'float32') => g.input(name, ['ΣM'], dtype);
  const entries = tokenInputs.map((name) => [name, perToken(name)] as const);
  return {
    layout: g.input('layout', ['microbatches', 5], 'int64'),
    tokens: g.input('tokens', ['ΣB·T'], 'int64'),
    predictors: perToken('predictors', 'int64'),
    targets: perToken('targets', 'int64'),
    ...(Object.fromEntries(entries) as Record<TokenInput, Value>),
  };
}

/** The inputs of one microbatch: `tokens` [B, T], all others [M]. */
function microbatch(body: Builder, inputs: BatchInputs, row: Value): BatchInputs {
  const [start, B, T, first, M] = [0, 1, 2, 3, 4].map((i) => body.slice(row, 0, i, i + 1)) as [
    Value,
    Value,
    Value,
    Value,
    Value,
  ];
  body.dimension('B', B);
  body.dimension('T', T);
  body.dimension('M', M);
  const tokens = body.sliceRows(inputs.tokens, start, body.add(start, body.mul(B, T)), 'B·T');
  const end = body.add(first, M);
  const learned = Object.entries(inputs)
    .filter(([name]) => name !== 'layout' && name !== 'tokens')
    .map(([name, value]) => [name, body.sliceRows(value, first, end, 'M')]);
  return {
    ...inputs,
    ...Object.fromEntries(learned),
    tokens: body.reshape(tokens, ['B', 'T']),
  };
}

function objectiveInputs(x: BatchInputs, scalars: Record<ScalarInput, Value>): ObjectiveInputs {
  return {
    targets: x.targets,
    weight: x.weight,
    advantage: x.advantage,
    reward: x.reward,
    oldLogprobs: x.old_logprobs,
    referenceLogprobs: x.reference_logprobs,
    klCoefficient: scalars.kl_coefficient,
    ratioLow: scalars.ratio_low,
    ratioHigh: scalars.ratio_high,
  };
}
