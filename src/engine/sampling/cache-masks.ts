// Masks for what a query of the decode graph sees in each cache: its own prompt's tokens without
// padding, and in a layer with a sliding window only the tokens within it.
// Axes: P prompts, S prompt length, L past tokens, C tokens of the chunk.

import type { Value } from '../graph/graph.ts';
import type { Builder } from '../graph/operators.ts';
import type { DecoderConfig } from '../model/config.ts';
import { maskOf, onceByWindow } from '../model/masks.ts';

/** The position of the token that a step computes. */
export interface StepPosition {
  /** In the chunk, int64 []. */
  step: Value;
  /** In the completion, int64 []. */
  index: Value;
  /** In the sequence, int64 [P, 1]. */
  positions: Value;
}

/** Added to the scores over prompt, past and recent cache; undefined if everything is visible. */
type CacheMasks = [prompt: Value, past: Value | undefined, recent: Value | undefined];

/** A layer's masks. */
export function cacheMasks(
  g: Builder,
  c: DecoderConfig,
  promptLengths: Value,
  position: StepPosition,
): (layer: number) => CacheMasks {
  return onceByWindow(
    c,
    (window): CacheMasks =>
      window
        ? windowMasks(g, promptLengths, position, window)
        : [promptMask(g, promptLengths), undefined, undefined],
  );
}

/** [P, 1, 1, 1, S]. The same at every step, so computed outside the loop. */
function promptMask(g: Builder, promptLengths: Value): Value {
  const outer = g.outer;
  return asPromptMask(outer, outer.less(outer.range('S'), promptLengths));
}

function asPromptMask(g: Builder, visible: Value): Value {
  return g.reshape(maskOf(g, visible), ['P', 1, 1, 1, 'S']);
}

function windowMasks(
  g: Builder,
  promptLengths: Value,
  { step, index, positions }: StepPosition,
  window: number,
): CacheMasks {
  const inWindow = (distance: Value) => g.less(distance, window);
  const inPrompt = g.outer.range('S');
  const unpadded = g.less(inPrompt, promptLengths);
  const one = g.ints([1], []);
  const recent = g.one('Range', [g.ints([0], []), g.add(step, one), one], ['C+1'], {
    dtype: 'int64',
  });
  return [
    asPromptMask(g, g.and(unpadded, inWindow(g.sub(positions, inPrompt)))),
    maskOf(g, inWindow(g.sub(index, g.outer.range('L')))),
    maskOf(g, inWindow(g.sub(step, recent))),
  ];
}
