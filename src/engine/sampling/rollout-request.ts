// A rollout's request and its results.

import type { TensorData } from '../runtime/session.ts';
import type { Uniforms } from './random.ts';

/** How tokens are drawn. */
export interface DrawSettings {
  /** 0 takes the likeliest token. */
  temperature: number;
  /** Draw from the k likeliest tokens; null draws from all. */
  topK: number | null;
  /** Draw from the likeliest tokens whose probabilities sum to p; 1 draws from all. */
  topP: number;
  /** Draw from tokens at least p times as likely as the likeliest; 0 draws from all. */
  minP: number;
}

/**
 * Number of tokens up to the completion's end, or undefined if it has not ended. Called with the
 * tokens so far whenever some were added.
 */
export type EndFinder = (tokens: readonly number[]) => number | undefined;

export interface RolloutRequest extends DrawSettings {
  /** Token ids of each prompt, at least one. */
  prompts: readonly (readonly number[])[];
  samplesPerPrompt: number;
  maxNewTokens: number;
  /** A sample's own stream, so that the sample does not depend on its batch. */
  uniforms: (prompt: number, sample: number) => Uniforms;
  /** Finds the end of a sample of a prompt; called for every sample before its first token. */
  endOf: (prompt: number) => EndFinder;
  /** Adapters by input name, of the shape the engine was made for. */
  adapters?: Readonly<Record<string, TensorData>>;
  onProgress?: (tokens: number) => void;
}

export interface DrawnSample {
  tokens: number[];
  /** Of the full distribution at the temperature (draw.ts). */
  logprobs: number[];
  /** False if maxNewTokens cut it off. */
  ended: boolean;
}
