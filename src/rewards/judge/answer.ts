// What a judge and its provider exchange. Separate from the provider, which takes half a second to
// load.

import type { Usage } from './account.ts';

/** The text sent to a judge. */
export interface Question {
  instructions: string;
  prompt: string;
}

export interface Answer<T> {
  verdict: T;
  usage: Usage;
}

/** A request without a usable answer; a retry may succeed. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  /** How long the service asked to wait; null if it did not say. */
  readonly retryAfterMs: number | null;
  /** Tokens used nevertheless. */
  readonly usage: Usage;

  constructor(message: string, retryAfterMs: number | null = null, usage: Usage = noUsage) {
    super(message);
    this.retryAfterMs = retryAfterMs;
    this.usage = usage;
  }
}

/** A request that the service rejects for what it holds: a retry cannot succeed. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused';
  /** The error if the service refuses all requests, so that the content is not to blame. */
  readonly ifAll: Error | null;

  constructor(message: string, ifAll: Error | null) {
    super(message);
    this.ifAll = ifAll;
  }
}

export const noUsage: Usage = { input: 0, output: 0 };
