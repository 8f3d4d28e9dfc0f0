// Random choices from a stream of uniforms.

import type { Uniforms } from '../../src/engine/sampling/random.ts';

/** One element of the list, all equally likely. */
export function pick<T>(random: Uniforms, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)]!;
}

/** True with the given probability. */
export function chance(random: Uniforms, probability: number): boolean {
  return random() < probability;
}

/** A key of `weights`, with a probability proportional to its weight. */
export function weighted<K extends string>(random: Uniforms, weights: Record<K, number>): K {
  const entries = Object.entries(weights) as [K, number][];
  let rest = random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [key, weight] of entries) {
    if (rest < weight) return key;
    rest -= weight;
  }
  return entries.at(-1)![0];
}
