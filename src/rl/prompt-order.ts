// Selects the prompts that an epoch trains on.

import { permutation, uniforms } from '../engine/sampling/random.ts';

/**
 * The prompts of an epoch as indices into the prompt file: `take` of `count` without repeats,
 * depending only on seed and epoch.
 * @throws RangeError if there are fewer than `take`
 */
export function promptsOfEpoch(count: number, take: number, seed: number, epoch: number): number[] {
  if (take > count) throw new RangeError(`expected at least ${take} prompts, found ${count}`);
  return permutation(count, uniforms(seed, 'prompts', epoch)).slice(0, take);
}
