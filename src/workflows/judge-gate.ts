// Holds scoring while its judge needs attention: a spent budget, a rejected key, a long outage.

import { ApplicationFailure, condition } from '@temporalio/workflow';
import type { ErrorKind } from '../errors.ts';
import { plainFailure } from './failures.ts';

const waitingKinds: readonly ErrorKind[] = ['JudgeStopped', 'JudgeUnavailable'];

/** Holds scoring that its judge stopped, until the run is resumed. */
export class JudgeGate {
  #resumes: number;
  #waiting = 0;
  #ended = false;
  readonly #onStop: (reason: string) => void | Promise<void>;

  /**
   * @param resumes how often the run has been resumed before.
   * @param onStop called with the reason, once per stop, even if many shards meet it.
   */
  constructor(resumes: number, onStop: (reason: string) => void | Promise<void>) {
    this.#resumes = resumes;
    this.#onStop = onStop;
  }

  /** Let all waiting work ask its judge again. */
  retry(resumes: number): void {
    this.#resumes = Math.max(this.#resumes, resumes);
  }

  /** Wait no longer, now or later: the run was stopped. What waits fails by its judge's error. */
  end(): void {
    this.#ended = true;
  }

  /**
   * Run `ask`, and again each time the run is resumed after its judge stopped.
   * @throws what `ask` throws
   */
  async pass<T>(ask: (resumes: number) => Promise<T>): Promise<T> {
    for (;;) {
      const resumes = this.#resumes;
      try {
        return await ask(resumes);
      } catch (error) {
        const failure = plainFailure(error);
        if (!isJudgeStop(failure)) throw error;
        if (resumes === this.#resumes) {
          if (this.#waiting++ === 0) await this.#onStop(failure.message);
          await condition(() => this.#resumes > resumes || this.#ended);
          this.#waiting--;
          if (this.#ended) throw failure;
        }
      }
    }
  }
}

/** Whether a failure is a judge's, which holds scoring until the run is resumed or stopped. */
export function isJudgeStop(failure: unknown): failure is ApplicationFailure {
  return (
    failure instanceof ApplicationFailure &&
    (waitingKinds as readonly unknown[]).includes(failure.type)
  );
}
