// A small record that many workers update without locks. Each update is a new file with the next
// number; if two workers want the same number, the store refuses one, and that one retries.

import type { SharedFiles } from '../reward.ts';

/**
 * Old versions kept behind the newest. If a worker is suspended between read and write while more
 * than that many are written, its update can be lost: one request then goes uncounted.
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

  /** Update the record. `change` is called again if another worker was first. */
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
