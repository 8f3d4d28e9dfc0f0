// The training graph: the gradients of an optimiser step as one run. A Loop over microbatches
// holds forward and backward and adds gradients up. Microbatches are as long as their own longest
// sequence. The step itself is ../engine/optimizer.
// Axes: B samples and T tokens of a microbatch, M tokens learned in it.

import { backward, type Segment } from '../engine/autodiff/backward.ts';
import { Builder } from '../engine/graph/operators.ts';
import type { DataType, Value } from '../engine/graph/value.ts';
import type { DecoderConfig } from '../engine/model/config.ts';
import { parameterInputs, type Weights } from '../engine/model/decoder.ts';
import { predictedLogprobs } from '../engine/model/logprob-graph.ts';
import { type AdapterShape, adapterSpecs, adaptersOf } from '../engine/model/lora.ts';
import { type ParameterSpec, parameterSpecs } from '../engine/model/parameters.ts';
import { rotaryInputs } from '../engine/model/sequence.ts';
import { type ExternalWeights, parameterInitializers } from '../engine/model/weights.ts';
import { type ObjectiveInputs, type ObjectiveKind, objective } from './objective.ts';

/** Inputs of one number for each learned token of all microbatches, float32 [ΣM]. */
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

/** What a training graph is built for. */
export interface TrainingOptions {
  kind: ObjectiveKind;
  /** Compute each layer's activations again in the backward pass instead of keeping them. */
  recompute: boolean;
  /** Train adapters over fixed weights; the weights themselves where there are none. */
  lora?: { adapters: AdapterShape; base: ExternalWeights } | undefined;
}

/** What is trained, by name and shape. */
export function trainedSpecs(
  c: DecoderConfig,
  { lora }: Pick<TrainingOptions, 'lora'>,
): ParameterSpec[] {
  return lora ? adapterSpecs(c, lora.adapters) : parameterSpecs(c);
}

/**
 * Inputs: microbatches as packing.ts lays them out (`layout`, `tokens`, `predictors`, `targets`),
 * the token inputs, the scalars, RoPE's tables, `lora_scale` [] for adapters, and every trained
 * tensor. Outputs: `grad.` + name of the loss summed over all microbatches, `grad_squares`
 * [number of trained tensors], each gradient's squared norm, and `stats` float32 [8] (order of
 * objectiveStats). Returns the model's bytes.
 */
export function trainingGraph(c: DecoderConfig, options: TrainingOptions): Uint8Array {
  const g = new Builder();
  const trained = trainedInputs(g, c, options);
  const { gradients, stats } = accumulate(g, c, options, trained, scalarValues(g));
  const squares = gradients.map((x) => g.reshape(g.sumSquares(x), [1]));
  const outputs = [...trained.keys()].map((name, i) => g.output(`grad.${name}`, gradients[i]!));
  const norms = g.output('grad_squares', g.concat(squares, 0));
  return g.toModel([...outputs, norms, g.output('stats', stats)]);
}

function scalarValues(g: Builder): Record<ScalarInput, Value> {
  const inputs = scalarInputs.map((name) => [name, g.input(name, [])] as const);
  return Object.fromEntries(inputs) as Record<ScalarInput, Value>;
}

function trainedInputs(g: Builder, c: DecoderConfig, options: TrainingOptions): Map<string, Value> {
  if (!options.lora) return new Map(parameterInputs(g, c));
  return new Map(trainedSpecs(c, options).map(({ name, shape }) => [name, g.input(name, shape)]));
}

function weightsOf(
  g: Builder,
  c: DecoderConfig,
  { lora }: TrainingOptions,
  trained: Map<string, Value>,
): Weights {
  if (!lora) return { parameters: trained };
  const scale = g.input('lora_scale', []);
  return {
    parameters: parameterInitializers(g, lora.base),
    adapters: adaptersOf(c, lora.adapters, trained, scale),
  };
}

/** Gradients and statistics summed over the microbatches, by a Loop. */
function accumulate(
  g: Builder,
  c: DecoderConfig,
  options: TrainingOptions,
  trained: Map<string, Value>,
  scalars: Record<ScalarInput, Value>,
) {
  const inputs = batchInputs(g);
  const weights = weightsOf(g, c, options, trained);
  const tables = rotaryInputs(g, c);

  const body = g.body();
  const index = body.input('microbatch', [], 'int64');
  const condition = body.input('condition', [], 'bool');
  const x = microbatch(body, inputs, index);
  const segments: Segment[] = [];
  const rows = predictedLogprobs(body, c, weights, tables, x, scalars.inverse_temperature, {
    segments,
  });
  const { loss, stats } = objective(body, options.kind, rows, objectiveInputs(x, scalars));
  const wanted = [...trained.values()];
  const gradients = backward(body, loss, wanted, options.recompute ? segments : []);
  const sums = [...wanted, stats].map((value) => body.input('sum', value.shape));
  body.outputs = [
    body.identity(condition),
    ...[...gradients, stats].map((value, i) => added(body, sums[i]!, value)),
  ];

  const zeros = sums.map((sum) => g.zeros(sum.shape));
  const count = g.reshape(g.length(inputs.layout, 0), []);
  const totals = g.loop(count, undefined, zeros, body);
  return { gradients: totals.slice(0, -1), stats: totals.at(-1)! };
}

/** sum + value; a product that nothing else uses is added to the sum as it is made. */
function added(g: Builder, sum: Value, value: Value): Value {
  const node = value.producer;
  if (node?.opType !== 'Gemm' || node.inputs.length > 2) return g.add(sum, value);
  const [a, b] = node.inputs as [Value, Value];
  const { transA, transB } = node.attributes;
  return g.gemm(a, b, sum, { transA: !!transA, transB: !!transB });
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
function microbatch(body: Builder, inputs: BatchInputs, index: Value): BatchInputs {
  const row = body.gather(inputs.layout, index);
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
