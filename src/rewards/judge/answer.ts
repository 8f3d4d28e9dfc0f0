// What passes between a judge and its provider. Apart from the provider, which takes half a second
// to load.

import type { Usage } from './account.ts';

/** What a judge is sent. */
export interface Question {
  instructions: string;
  prompt: string;
}

export interface Answer<T> {
  verdict: T;
  usage: Usage;
}

/** A request that came to nothing; another may do better. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  /** How long the service asked to be left alone; null where it did not say. */
  readonly retryAfterMs: number | null;
  /** Tokens that were used all the same. */
  readonly usage: Usage;

  constructor(message: string, retryAfterMs: number | null = null, usage: Usage = noUsage) {
    super(message);
    this.retryAfterMs = retryAfterMs;
    this.usage = usage;
  }
}

export const noUsage: Usage = { input: 0, output: 0 };
