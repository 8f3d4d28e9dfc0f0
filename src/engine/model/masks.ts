// Attention masks: added to scores, they hide what a query must not see.

import type { Value } from '../graph/graph.ts';
import type { Builder } from '../graph/operators.ts';
import type { DecoderConfig } from './config.ts';

/** Far below any real score, yet finite: a fully masked row must not give NaN. */
const maskedScore = -1e9;

/** 0 where `visible` (bool), a large negative number elsewhere. */
export function maskOf(g: Builder, visible: Value): Value {
  return g.where(visible, 0, maskedScore);
}

/** `build` by layer, called once for each window size that the layers have. */
export function onceByWindow<T>(
  { windows }: DecoderConfig,
  build: (window: number | undefined) => T,
): (layer: number) => T {
  const built = new Map<number | undefined, T>();
  return (layer) => {
    const window = windows[layer];
    if (!built.has(window)) built.set(window, build(window));
    return built.get(window)!;
  };
}
