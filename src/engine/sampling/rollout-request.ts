// What a rollout is asked for, and what each of its samples comes to.

import type { TensorData } from '../runtime/session.ts';
import type { Uniforms } from './random.ts';

/** How tokens are drawn. */
export interface DrawSettings {
  /** 0 takes the likeliest token. */
  temperature: number;
  /** Draw from the k likeliest; null from all. */
  topK: number | null;
  /** Draw from the likeliest whose probabilities sum to p; 1 from all. */
  topP: number;
  /** Draw from those at least p times as likely as the likeliest; 0 from all. */
  minP: number;
}

export interface RolloutRequest extends DrawSettings {
  /** Token ids of each prompt, at least one. */
  prompts: readonly (readonly number[])[];
  samplesPerPrompt: number;
  maxNewTokens: number;
  /** The stream of a sample's own, so that it is the same whatever batch it falls in. */
  uniforms: (prompt: number, sample: number) => Uniforms;
  /** Where a completion ends: the number of its tokens that count, or undefined to go on. */
  endOf: (tokens: readonly number[]) => number | undefined;
  /** Adapters, by their names among the graph's inputs; their shape has to be the engine's. */
  adapters?: Readonly<Record<string, TensorData>>;
  onProgress?: (tokens: number) => void;
}

export interface DrawnSample {
  tokens: number[];
  /** At the temperature, of the whole distribution (draw.ts). */
  logprobs: number[];
  /** False where maxNewTokens cut it. */
  ended: boolean;
}
