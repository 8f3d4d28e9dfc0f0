// A small record that many workers change, without locks: each change is a file of its own, named
// by the next number, and of two that want the same number one is refused and looks again.

import type { SharedFiles } from '../reward.ts';

/**
 * Versions that stay behind the newest. A worker that sleeps through more of them between its look
 * and its write could have its change lost; it is one request that is not counted.
 */
const keptVersions = 64;
const digits = 12;

export class SharedRecord<T> {
  readonly #files: SharedFiles;
  readonly #folder: string;
  readonly #initial: T;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(files: SharedFiles, folder: string, initial: T) {
    this.#files = files;
    this.#folder = folder;
    this.#initial = initial;
  }

  /** Change the record. `change` may be called again where another worker came first. */
  update<R>(change: (value: T) => { value: T; result: R }): Promise<R> {
    const turn = this.#turn.then(() => this.#update(change));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #update<R>(change: (value: T) => { value: T; result: R }): Promise<R> {
    for (;;) {
      const names = (await this.#files.list(this.#folder)).sort();
      const newest = names.at(-1);
      const text = newest === undefined ? undefined : await this.#files.read(this.#path(newest));
      if (text === null) continue;
      const { value, result } = change(
        text === undefined ? this.#initial : (JSON.parse(text) as T),
      );
      const next = String(Number(newest ?? 0) + 1).padStart(digits, '0');
      if (!(await this.#files.create(this.#path(next), JSON.stringify(value)))) continue;
      for (const name of names.slice(0, -keptVersions)) await this.#files.remove(this.#path(name));
      return result;
    }
  }

  #path(name: string): string {
    return `${this.#folder}/${name}`;
  }
}
