// How far back each layer's attention reaches, as families write it in config.json.

import type { ConfigFile, Refuse } from './config-file.ts';

/** For each layer, how many tokens back a query sees; undefined sees all. */
export type LayerWindows = (number | undefined)[];

/** Every layer sees the whole sequence. */
export function noWindows({ num_hidden_layers }: ConfigFile): LayerWindows {
  return new Array(num_hidden_layers).fill(undefined);
}

const layerKinds = ['full_attention', 'sliding_attention'];

/**
 * `sliding_window` in some layers, if `use_sliding_window` is on. Newer files name each layer's
 * kind; in older ones the window starts at layer `max_window_layers`. transformers' default is a
 * window of 4096; null is none.
 */
export function slidingWindows(config: ConfigFile, refuse: Refuse): LayerWindows {
  const { use_sliding_window, layer_types: kinds, num_hidden_layers: layers } = config;
  const { sliding_window: declared = 4096 } = config;
  const window = use_sliding_window ? (declared ?? undefined) : undefined;
  if (kinds && kinds.length !== layers) throw refuse(`${kinds.length} layer_types`, `${layers}`);
  const unknown = kinds?.find((kind) => !layerKinds.includes(kind));
  if (unknown !== undefined) throw refuse(`layer_types '${unknown}'`, layerKinds.join(', '));
  if (!window && kinds?.includes('sliding_attention'))
    throw refuse(
      "layer_types 'sliding_attention' without a window",
      'use_sliding_window with sliding_window, a number of tokens',
    );
  return Array.from({ length: layers }, (_, i) => {
    const slides = kinds ? kinds[i] === 'sliding_attention' : i >= config.max_window_layers;
    return slides ? window : undefined;
  });
}
