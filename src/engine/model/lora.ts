// Low-rank adapters (LoRA, arXiv 2106.09685): a projection W [out, in] gains scale · B·A with
// A [r, in] and B [out, r]. This file has the adapted projections, the matrices' shapes, and adapters
// as graph inputs; files/adapter-folder.ts reads and writes them. A classifier's head gets no
// adapter: all of it is trained with them.

import type { AdapterTarget } from '../../config/schema/model.ts';
import type { Value } from '../graph/graph.ts';
import type { Builder } from '../graph/operators.ts';
import type { DecoderConfig } from './config.ts';
import { classifierHead, type ParameterSpec, parameterSpecs, scoreName } from './parameters.ts';

/** The part that a graph depends on; alpha is an input. */
export interface AdapterShape {
  rank: number;
  targets: readonly AdapterTarget[];
  /** The modules with an adapter, if they are not all that `targets` names. */
  modules?: readonly string[] | undefined;
}

/** Adapters as values of a graph; `scale` float32 [] is alpha / rank, or 0 to disable them. */
export interface AdapterInputs {
  scale: Value;
  /** By module name, such as `model.layers.0.self_attn.q_proj`. */
  modules: ReadonlyMap<string, { a: Value; b: Value }>;
  /** A classifier's own head, in place of the base's. */
  head?: Value | undefined;
}

/** Names of a module's matrices A and B. */
export const matrixNames = (module: string) => ({
  a: `${module}.lora_A.weight`,
  b: `${module}.lora_B.weight`,
});

/** Modules with an adapter and their widths, in the order of the model's parameters. */
export function adaptedModules(c: DecoderConfig, { targets, modules }: Omit<AdapterShape, 'rank'>) {
  return parameterSpecs(c).flatMap(({ name, shape }) => {
    const module = name.replace(/\.weight$/, '');
    const target = module.slice(module.lastIndexOf('.') + 1) as AdapterTarget;
    if (!name.endsWith('.weight') || !targets.includes(target)) return [];
    if (modules && !modules.includes(module)) return [];
    return [{ module, out: shape[0]!, input: shape[1]! }];
  });
}

/** All matrices of the adapters, A before B, then a classifier's head. */
export function adapterSpecs(c: DecoderConfig, shape: AdapterShape): ParameterSpec[] {
  const matrices = adaptedModules(c, shape).flatMap(({ module, out, input }) => {
    const { a, b } = matrixNames(module);
    return [
      { name: a, shape: [shape.rank, input] },
      { name: b, shape: [out, shape.rank] },
    ];
  });
  return [...matrices, ...classifierHead(c)];
}

/** Adapters as float32 inputs under `adapterSpecs`' names, and the input `lora_scale`. */
export function adapterInputs(g: Builder, c: DecoderConfig, shape: AdapterShape): AdapterInputs {
  const values = new Map(adapterSpecs(c, shape).map((s) => [s.name, g.input(s.name, s.shape)]));
  return adaptersOf(c, shape, values, g.input('lora_scale', []));
}

/** Adapters from values by `adapterSpecs`' names. */
export function adaptersOf(
  c: DecoderConfig,
  shape: AdapterShape,
  values: ReadonlyMap<string, Value>,
  scale: Value,
): AdapterInputs {
  const modules = adaptedModules(c, shape).map(({ module }) => {
    const { a, b } = matrixNames(module);
    return [module, { a: values.get(a)!, b: values.get(b)! }] as const;
  });
  return { scale, modules: new Map(modules), head: values.get(scoreName) };
}
