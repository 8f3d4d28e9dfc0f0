// Random numbers that depend only on the name of their stream, not on the order of calls, the batch
// or the worker. xoshiro128** (Blackman and Vigna 2018), seeded by SHA-256.

import { createHash } from 'node:crypto';

/** A source of uniforms in [0, 1) with 24 random bits, exact in float32. */
export type Uniforms = () => number;

/** The stream named by `parts`, such as (seed, 'train/8', prompt id, sample). */
export function uniforms(...parts: (string | number)[]): Uniforms {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest();
  let a = digest.readInt32LE(0);
  let b = digest.readInt32LE(4);
  let c = digest.readInt32LE(8);
  let d = digest.readInt32LE(12) | 1;
  const rotate = (x: number, k: number) => (x << k) | (x >>> (32 - k));
  return () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9);
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotate(d, 11);
    return (result >>> 8) / 0x1000000;
  };
}

/** The numbers 0 to count - 1 in a random order (Fisher–Yates). */
export function permutation(count: number, random: Uniforms): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
