// Gradients of a loss over microbatches as one graph: a Loop runs the forward and backward pass and
// sums the gradients. The caller defines the loss and the contents of a microbatch
// (rl/policy/graph.ts, rl/preference/graph.ts). The optimiser's step is engine/optimizer.

import { backward, type Segment } from '../autodiff/backward.ts';
import type { Value } from '../graph/graph.ts';
import { Builder } from '../graph/operators.ts';
import { serializeModel } from '../graph/serialize.ts';
import type { DecoderConfig } from '../model/config.ts';
import { parameterInputs, type Weights } from '../model/decoder.ts';
import { type ExternalWeights, parameterInitializers } from '../model/external-weights.ts';
import { type AdapterShape, adapterSpecs, adaptersOf } from '../model/lora.ts';
import { type ParameterSpec, parameterSpecs } from '../model/parameters.ts';

/** What to train, and how. */
export interface GradientOptions {
  /** Compute each layer's activations again in the backward pass instead of keeping them. */
  recompute: boolean;
  /** Train adapters over fixed weights; if undefined, train the weights. */
  lora?: { adapters: AdapterShape; base: ExternalWeights } | undefined;
}

/** Names and shapes of the trained tensors. */
export function trainedSpecs(
  c: DecoderConfig,
  { lora }: Pick<GradientOptions, 'lora'>,
): ParameterSpec[] {
  return lora ? adapterSpecs(c, lora.adapters) : parameterSpecs(c);
}

/** A loss over microbatches. It declares its inputs in the outer graph. */
export interface MicrobatchLoss {
  /** int64 [microbatches, …]: one row per microbatch. */
  layout: Value;
  /**
   * Nodes in `body` for the microbatch that a row of `layout` describes: the loss [], and statistics
   * to sum over microbatches. Pushes the layers onto `segments`.
   */
  at(body: Builder, row: Value, segments: Segment[]): { loss: Value; stats: Value };
}

/**
 * Inputs: those that `define` declares, `lora_scale` [] for adapters, and every trained tensor.
 * Outputs: `grad.<name>`, gradients of the loss summed over all microbatches; `grad_squares` [number
 * of trained tensors], their squared norms; `stats`. Returns the model's bytes.
 */
export function gradientGraph(
  c: DecoderConfig,
  options: GradientOptions,
  define: (g: Builder, weights: Weights) => MicrobatchLoss,
): Uint8Array {
  const g = new Builder();
  const trained = trainedInputs(g, c, options);
  const loss = define(g, weightsOf(g, c, options, trained));
  const { gradients, stats } = accumulate(g, options, trained, loss);
  const squares = gradients.map((x) => g.reshape(g.sumSquares(x), [1]));
  const outputs = [...trained.keys()].map((name, i) => g.output(`grad.${name}`, gradients[i]!));
  const norms = g.output('grad_squares', g.concat(squares, 0));
  return serializeModel(g, [...outputs, norms, g.output('stats', stats)]);
}

function trainedInputs(g: Builder, c: DecoderConfig, options: GradientOptions): Map<string, Value> {
  if (!options.lora) return new Map(parameterInputs(g, c));
  return new Map(trainedSpecs(c, options).map(({ name, shape }) => [name, g.input(name, shape)]));
}

function weightsOf(
  g: Builder,
  c: DecoderConfig,
  { lora }: GradientOptions,
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
  options: GradientOptions,
  trained: Map<string, Value>,
  { layout, at }: MicrobatchLoss,
) {
  const body = g.body();
  const index = body.input('microbatch', [], 'int64');
  const condition = body.input('condition', [], 'bool');
  const segments: Segment[] = [];
  const { loss, stats } = at(body, body.gather(layout, index), segments);
  const wanted = [...trained.values()];
  const gradients = backward(body, loss, wanted, options.recompute ? segments : []);
  const sums = [...wanted, stats].map((value) => body.input('sum', value.shape));
  body.outputs = [
    body.identity(condition),
    ...[...gradients, stats].map((value, i) => added(body, sums[i]!, value)),
  ];

  const zeros = sums.map((sum) => g.zeros(sum.shape));
  const count = g.reshape(g.length(layout, 0), []);
  const totals = g.loop(count, undefined, zeros, body);
  return { gradients: totals.slice(0, -1), stats: totals.at(-1)! };
}

/** sum + value. A Gemm's product that nothing else uses is added to the sum by the Gemm itself. */
function added(g: Builder, sum: Value, value: Value): Value {
  const node = value.producer;
  if (node?.opType !== 'Gemm' || node.inputs.length > 2) return g.add(sum, value);
  const [a, b] = node.inputs as [Value, Value];
  const { transA, transB } = node.attributes;
  return g.gemm(a, b, sum, { transA: !!transA, transB: !!transB });
}
