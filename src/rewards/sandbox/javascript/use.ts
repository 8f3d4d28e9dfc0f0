// What a program uses of its limits.

import { type Fuel, fuelFor } from '../wasm/fuel.ts';

/** Limit of returned JSON or written text per program, in characters; a call beyond it fails. */
export const maxReturnedChars = 256 * 1024;

/** QuickJS ticks every 10,000 calls and jumps, which take it between 0.2 and 1.5 ms. */
const ticksPerMs = 1;

/** What a program has used, over all its calls and realms. */
export class Use {
  #ticksLeft: number;
  #fuelLeft: number;
  #charsLeft = maxReturnedChars;

  constructor(timeLimitMs: number) {
    this.#ticksLeft = timeLimitMs * ticksPerMs;
    this.#fuelLeft = fuelFor(timeLimitMs);
  }

  /** Run code on the fuel that is left. If it is used up, that code traps, and its instance is broken. */
  burn<T>(fuel: Fuel, action: () => T): T {
    fuel.left = this.#fuelLeft;
    try {
      return action();
    } finally {
      this.#fuelLeft = fuel.left;
      if (!fuel.isSpent) fuel.refill();
    }
  }

  /** Count a tick. @returns whether the program must end. */
  tick(): boolean {
    return --this.#ticksLeft < 0;
  }

  /** Whether the program's time is used up. */
  get isOver(): boolean {
    return this.#ticksLeft < 0;
  }

  /** Count characters. @returns whether the limit is exceeded. */
  takeChars(count: number): boolean {
    this.#charsLeft -= count;
    return this.#charsLeft < 0;
  }
}
