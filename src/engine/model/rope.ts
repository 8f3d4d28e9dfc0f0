// Rotary position embeddings (RoPE, arXiv 2104.09864) and their scalings: frequencies and tables.

import { z } from 'zod';
import type { TensorData } from '../runtime/session.ts';
import type { DecoderConfig, Refuse } from './config.ts';

/** `rope_scaling` of older config files, `rope_parameters` of newer ones. */
export const ropeSchema = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().min(1).optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: z.int().positive().optional(),
  partial_rotary_factor: z.number().optional(),
});

export type RopeFile = z.output<typeof ropeSchema>;

export type RopeScaling =
  | { kind: 'default' }
  /** Positions divided by `factor`. */
  | { kind: 'linear'; factor: number }
  /** Llama 3.1: low frequencies divided by `factor`, high ones kept, a ramp between. */
  | {
      kind: 'llama3';
      factor: number;
      lowFrequencyFactor: number;
      highFrequencyFactor: number;
      originalMaxPositions: number;
    };

export function ropeScalingOf(rope: RopeFile, refuse: Refuse): RopeScaling {
  const kind = rope.rope_type ?? rope.type ?? 'default';
  const nested = Object.keys(rope).find((key) => z.looseObject({}).safeParse(rope[key]).success);
  if (nested) throw refuse(`rope_parameters of ${nested}`, 'one rope for all layers');
  const number = (key: 'factor' | 'low_freq_factor' | 'high_freq_factor') => {
    const value = rope[key];
    if (value === undefined) throw refuse(`rope_type '${kind}' without ${key}`, 'a number');
    return value;
  };
  if (kind === 'default') return { kind };
  if (kind === 'linear') return { kind, factor: number('factor') };
  if (kind !== 'llama3') throw refuse(`rope_type '${kind}'`, 'default, linear, llama3');
  return {
    kind,
    factor: number('factor'),
    lowFrequencyFactor: number('low_freq_factor'),
    highFrequencyFactor: number('high_freq_factor'),
    originalMaxPositions: rope.original_max_position_embeddings ?? 8192,
  };
}

/** Radians a position, for each of E / 2 pairs. Rounded to float32 as the reference rounds. */
function frequencies(c: DecoderConfig): number[] {
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
 * Feeds `rope_cos` and `rope_sin` [longest, E / 2] for at least `length` positions; made once for
 * each doubling.
 */
export function rotaryFeeds(c: DecoderConfig, length: number): Record<string, TensorData> {
  const longest = 2 ** Math.ceil(Math.log2(Math.max(64, length)));
  let known = tables.get(c);
  if (!known || known.longest < longest) {
    const { cos, sin } = ropeTables(c, longest);
    const shape = [longest, c.headDim / 2];
    const feeds = { rope_cos: { data: cos, shape }, rope_sin: { data: sin, shape } };
    known = { longest, feeds };
    tables.set(c, known);
  }
  return known.feeds;
}

const tables = new WeakMap<DecoderConfig, { longest: number; feeds: Record<string, TensorData> }>();

/** cos and sin of every position's angles, each [length, E / 2]. */
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
