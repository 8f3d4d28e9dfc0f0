// What a query of the decode graph may see of each cache: a prompt's own tokens, and of a layer
// with a sliding window the tokens within it.
// Axes: P prompts, S prompt length, L tokens in the past, C tokens in the chunk.

import type { Value } from '../graph/graph.ts';
import type { Builder } from '../graph/operators.ts';
import type { DecoderConfig } from '../model/config.ts';
import { maskedScore } from '../model/sequence.ts';

/** Where a step stands. */
export interface StepPlace {
  /** Of the chunk, int64 []. */
  step: Value;
  /** Of the token in its completion, int64 []. */
  index: Value;
  /** Of the token in its sequence, int64 [P, 1]. */
  positions: Value;
}

/** Added to the scores over prompt, past and recent cache; undefined where all is seen. */
type CacheMasks = [prompt: Value, past: Value | undefined, recent: Value | undefined];

/** A layer's masks, made once for each length of window. */
export function cacheMasks(
  g: Builder,
  c: DecoderConfig,
  promptLengths: Value,
  place: StepPlace,
): (layer: number) => CacheMasks {
  const made = new Map<number | undefined, CacheMasks>();
  return (layer) => {
    const window = c.windows[layer];
    const known = made.get(window);
    if (known) return known;
    const masks: CacheMasks = window
      ? windowMasks(g, promptLengths, place, window)
      : [promptMask(g, promptLengths), undefined, undefined];
    made.set(window, masks);
    return masks;
  };
}

/** [P, 1, 1, 1, S], the same at every step: made outside of the loop. */
function promptMask(g: Builder, promptLengths: Value): Value {
  const outer = g.outer;
  return asPromptMask(outer, outer.less(outer.range('S'), promptLengths));
}

function asPromptMask(g: Builder, visible: Value): Value {
  return g.reshape(g.where(visible, 0, maskedScore), ['P', 1, 1, 1, 'S']);
}

function windowMasks(
  g: Builder,
  promptLengths: Value,
  { step, index, positions }: StepPlace,
  window: number,
): CacheMasks {
  const near = (distance: Value) => g.less(distance, window);
  const inPrompt = g.outer.range('S');
  const own = g.less(inPrompt, promptLengths);
  const mask = (visible: Value) => g.where(visible, 0, maskedScore);
  const one = g.ints([1], []);
  const recent = g.one('Range', [g.ints([0], []), g.add(step, one), one], ['C+1'], {
    dtype: 'int64',
  });
  return [
    asPromptMask(g, g.and(own, near(g.sub(positions, inPrompt)))),
    mask(near(g.sub(index, g.outer.range('L')))),
    mask(near(g.sub(step, recent))),
  ];
}
