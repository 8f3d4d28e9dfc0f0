// How a model scales rotary positions, read from config.json and checked.

import { z } from 'zod';
import type { ConfigFile, Refuse, RopeFile } from './config-file.ts';

export type RopeScaling =
  | { kind: 'default' }
  /** Positions divided by `factor`. */
  | { kind: 'linear'; factor: number }
  /** Llama 3.1: low frequencies divided by `factor`, high ones kept, a linear ramp between. */
  | {
      kind: 'llama3';
      factor: number;
      lowFrequencyFactor: number;
      highFrequencyFactor: number;
      originalMaxPositions: number;
    };

export function ropeScalingOf(
  { original_max_position_embeddings: original }: ConfigFile,
  rope: RopeFile,
  maxPositions: number,
  refuse: Refuse,
): RopeScaling {
  const kind = rope.rope_type ?? rope.type ?? 'default';
  const nested = Object.keys(rope).find((key) => z.looseObject({}).safeParse(rope[key]).success);
  if (nested) throw refuse(`rope_parameters of ${nested}`, 'one rope for all layers');
  const number = (key: 'factor' | 'low_freq_factor' | 'high_freq_factor') => {
    const value = rope[key];
    if (value === undefined) throw refuse(`rope_type '${kind}' without ${key}`, 'a number');
    return value;
  };
  if (rope.mrope_section != null) throw refuse('mrope_section', 'one position for each token');
  if (kind === 'default') return { kind };
  if (kind === 'linear') return { kind, factor: number('factor') };
  if (kind !== 'llama3') throw refuse(`rope_type '${kind}'`, 'default, linear, llama3');
  return {
    kind,
    factor: number('factor'),
    lowFrequencyFactor: number('low_freq_factor'),
    highFrequencyFactor: number('high_freq_factor'),
    originalMaxPositions: original ?? rope.original_max_position_embeddings ?? maxPositions,
  };
}
