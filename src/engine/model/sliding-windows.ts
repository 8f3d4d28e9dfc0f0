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
 * kind; in older ones the window starts at layer `max_window_layers`.
 */
export function slidingWindows(config: ConfigFile, refuse: Refuse): LayerWindows {
  if (!config.use_sliding_window) return noWindows(config);
  const { sliding_window: window, layer_types: kinds, num_hidden_layers: layers } = config;
  if (!window) throw refuse('use_sliding_window without sliding_window', 'a number of tokens');
  if (kinds && kinds.length !== layers) throw refuse(`${kinds.length} layer_types`, `${layers}`);
  const unknown = kinds?.find((kind) => !layerKinds.includes(kind));
  if (unknown !== undefined) throw refuse(`layer_types '${unknown}'`, layerKinds.join(', '));
  return Array.from({ length: layers }, (_, i) => {
    const slides = kinds ? kinds[i] === 'sliding_attention' : i >= config.max_window_layers;
    return slides ? window : undefined;
  });
}
