// Rotary position embeddings (RoPE, arXiv 2104.09864): frequencies and tables.

import type { TensorData } from '../runtime/session.ts';
import type { DecoderConfig } from './config.ts';

/** Radians per position for each of E / 2 pairs, rounded to float32 as in the reference. */
export function frequencies(c: DecoderConfig): number[] {
  const base = Array.from({ length: c.headDim / 2 }, (_, i) =>
    Math.fround(1 / Math.fround(c.ropeTheta ** Math.fround((2 * i) / c.headDim))),
  );
  const scaling = c.ropeScaling;
  if (scaling.kind === 'default') return base;
  if (scaling.kind === 'linear') return base.map((f) => Math.fround(f / scaling.factor));
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high } = scaling;
  return base.map((f) => {
    const turns = scaling.originalMaxPositions / ((2 * Math.PI) / f);
    const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
    return Math.fround(kept * f + (1 - kept) * (f / factor));
  });
}

/**
 * Feeds `rope_cos` and `rope_sin` [longest, E / 2] for at least `length` positions. The tables are
 * cached; they grow by doubling.
 */
export function rotaryFeeds(c: DecoderConfig, length: number): Record<string, TensorData> {
  const longest = 2 ** Math.ceil(Math.log2(Math.max(64, length)));
  let cached = tables.get(c);
  if (!cached || cached.longest < longest) {
    const { cos, sin } = ropeTables(c, longest);
    const shape = [longest, c.headDim / 2];
    const feeds = { rope_cos: { data: cos, shape }, rope_sin: { data: sin, shape } };
    cached = { longest, feeds };
    tables.set(c, cached);
  }
  return cached.feeds;
}

const tables = new WeakMap<DecoderConfig, { longest: number; feeds: Record<string, TensorData> }>();

/** cos and sin of the angles of all positions, each [length, E / 2]. */
function ropeTables(c: DecoderConfig, length: number) {
  const half = c.headDim / 2;
  const cos = new Float32Array(length * half);
  const sin = new Float32Array(length * half);
  frequencies(c).forEach((frequency, i) => {
    for (let t = 0; t < length; t++) {
      const angle = Math.fround(t * frequency);
      cos[t * half + i] = Math.cos(angle);
      sin[t * half + i] = Math.sin(angle);
    }
  });
  return { cos, sin };
}
