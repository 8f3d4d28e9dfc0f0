// A watchdog for work that makes no progress.

const ticks = 10;

/** Calls back once if it is not restarted in time. */
export class StallWatch {
  readonly #timer: NodeJS.Timeout;
  #quiet = 0;

  /** @param limitMs is counted in ticks, so that a pause of this process itself does not count. */
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
