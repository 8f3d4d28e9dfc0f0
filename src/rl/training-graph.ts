// The training graph: one optimiser step as one run. A Loop over microbatches holds forward and
// backward and adds up gradients; clipping and AdamW follow it.
// Axes: M microbatches, B samples in each, S prompt length, C completion length, T = S + C.

import { backward } from '../engine/autodiff/backward.ts';
import { Builder } from '../engine/graph/operators.ts';
import type { Shape, Value } from '../engine/graph/value.ts';
import type { DecoderConfig } from '../engine/model/config.ts';
import { type Parameters, parameterInputs } from '../engine/model/decoder.ts';
import { completionLogits, type SequenceShape } from '../engine/model/logprob-graph.ts';
import { parameterSpecs } from '../engine/model/parameters.ts';
import { type AdamWInputs, adamw, clipByGlobalNorm } from '../engine/optimizer/adamw.ts';
import {
  type ObjectiveInputs,
  type ObjectiveKind,
  objective,
  objectiveStats,
} from './objective.ts';

/** Inputs [M, B, ...] of the graph, by name: what follows B, and the element type. */
const batchInputs = (T: number, C: number) =>
  ({
    tokens: [[T], 'int64'],
    positions: [[T], 'int64'],
    padding: [[T], 'float32'],
    targets: [[C], 'int64'],
    weight: [[C], 'float32'],
    advantage: [[C], 'float32'],
    reward: [[C], 'float32'],
    old_logprobs: [[C], 'float32'],
    reference_logprobs: [[C], 'float32'],
  }) as const;
export type BatchInput = keyof ReturnType<typeof batchInputs>;

/** Scalar inputs: of the objective, then of the optimiser. */
export const scalarInputs = [
  'inverse_temperature',
  'kl_coefficient',
  'ratio_low',
  'ratio_high',
  'learning_rate',
  'weight_decay',
  'beta1',
  'beta2',
  'epsilon',
  'correction1',
  'correction2',
  'max_grad_norm',
] as const;
export type ScalarInput = (typeof scalarInputs)[number];

/** Prefixes of the optimiser's state among inputs and outputs. */
export const statePrefixes = { parameter: '', first: 'first.', second: 'second.' } as const;

/**
 * Inputs: `microbatches` int64 [] (M), the batch inputs, the scalars, and every parameter with
 * its first and second moment (prefixes above). Outputs: the same state under `new.` + name,
 * `stats` float32 [8] (order of objectiveStats), `grad_norm` [] before clipping,
 * `grad_squares` [number of parameters]. Returns the model's bytes.
 */
export function trainingGraph(
  c: DecoderConfig,
  kind: ObjectiveKind,
  shape: SequenceShape,
): Uint8Array {
  const g = new Builder();
  const scalars = scalarValues(g);
  const state = {
    parameter: parameterInputs(g, c, statePrefixes.parameter),
    first: parameterInputs(g, c, statePrefixes.first),
    second: parameterInputs(g, c, statePrefixes.second),
  };
  const { gradients, stats } = accumulate(g, c, kind, shape, state.parameter, scalars);
  const clip = clipByGlobalNorm(g, gradients, scalars.max_grad_norm);
  const updated = parameterSpecs(c).flatMap(({ name }, i) => {
    const moments = {
      parameter: state.parameter.get(name)!,
      first: state.first.get(name)!,
      second: state.second.get(name)!,
    };
    const next = g.scope(`adamw.${name}`, () =>
      adamw(g, moments, clip.clipped[i]!, optimizer(scalars)),
    );
    return (['parameter', 'first', 'second'] as const).map((part) =>
      g.output(`new.${statePrefixes[part]}${name}`, next[part]),
    );
  });
  return g.toModel([
    ...updated,
    g.output('stats', stats),
    g.output('grad_norm', clip.norm),
    g.output('grad_squares', clip.squares),
  ]);
}

/**
 * The gradients alone, of the summed loss over all microbatches: outputs `grad.` + name, `stats`.
 * For checking them against a reference.
 */
export function gradientGraph(c: DecoderConfig, kind: ObjectiveKind, shape: SequenceShape) {
  const g = new Builder();
  const scalars = scalarValues(g);
  const parameters = parameterInputs(g, c);
  const { gradients, stats } = accumulate(g, c, kind, shape, parameters, scalars);
  const outputs = [...parameters.keys()].map((name, i) => g.output(`grad.${name}`, gradients[i]!));
  return g.toModel([...outputs, g.output('stats', stats)]);
}

function scalarValues(g: Builder): Record<ScalarInput, Value> {
  const inputs = scalarInputs.map((name) => [name, g.input(name, [])] as const);
  return Object.fromEntries(inputs) as Record<ScalarInput, Value>;
}

function optimizer(scalars: Record<ScalarInput, Value>): AdamWInputs {
  return {
    learningRate: scalars.learning_rate,
    weightDecay: scalars.weight_decay,
    beta1: scalars.beta1,
    beta2: scalars.beta2,
    epsilon: scalars.epsilon,
    correction1: scalars.correction1,
    correction2: scalars.correction2,
  };
}

/** Gradients and statistics summed over the microbatches, by a Loop. */
function accumulate(
  g: Builder,
  c: DecoderConfig,
  kind: ObjectiveKind,
  shape: SequenceShape,
  parameters: Parameters,
  scalars: Record<ScalarInput, Value>,
) {
  const { batch: B, promptLength: S, completionLength: C } = shape;
  const microbatches = g.input('microbatches', [], 'int64');
  const batch = Object.entries(batchInputs(S + C, C)).map(
    ([name, [rest, dtype]]) => [name, g.input(name, ['M', B, ...rest], dtype)] as const,
  );

  const body = g.body();
  const index = body.input('microbatch', [], 'int64');
  const condition = body.input('condition', [], 'bool');
  const x = Object.fromEntries(
    batch.map(([name, value]) => [name, body.gather(value, index)]),
  ) as Record<BatchInput, Value>;
  const rows = completionLogits(body, c, parameters, shape, x, scalars.inverse_temperature);
  const { loss, stats } = objective(body, kind, rows, objectiveInputs(x, scalars));
  const wanted = [...parameters.values()];
  const gradients = backward(body, loss, wanted);
  const shapes: Shape[] = [...wanted.map((p) => p.shape), [objectiveStats.length]];
  const sums = shapes.map((s) => body.input('sum', s));
  body.outputs = [
    body.identity(condition),
    ...[...gradients, stats].map((value, i) => body.add(sums[i]!, value)),
  ];

  const zeros = shapes.map((s) => g.zeros(s as number[]));
  const totals = g.loop(microbatches, undefined, zeros, body);
  return { gradients: totals.slice(0, -1), stats: totals.at(-1)! };
}

function objectiveInputs(
  x: Record<BatchInput, Value>,
  scalars: Record<ScalarInput, Value>,
): ObjectiveInputs {
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
