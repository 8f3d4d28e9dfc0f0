// Notices that something makes no progress.

const ticks = 10;

/** Calls back once, where it was not restarted for a time. */
export class StallWatch {
  readonly #timer: NodeJS.Timeout;
  #quiet = 0;

  /** @param limitMs is counted in ticks, so that a process that was itself stopped blames nobody. */
  constructor(limitMs: number, onStall: () => void) {
    this.#timer = setInterval(() => {
      if (++this.#quiet < ticks) return;
      this.stop();
      onStall();
    }, limitMs / ticks);
  }

  restart(): void {
    this.#quiet = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
