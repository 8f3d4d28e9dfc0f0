// A map that holds only the entries used last.

/**
 * Keeps up to `limit` entries and drops the least recently used ones. Dropped values are returned,
 * because those that hold a device or a process must be closed, and closing is asynchronous.
 */
export class LruMap<K, V> {
  readonly #limit: number;
  /** Least recently used first. */
  readonly #entries = new Map<K, V>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The value of a key, which then counts as used. */
  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  /** @returns the values that had to make room */
  set(key: K, value: V): V[] {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    const excess = [...this.#entries.keys()].slice(0, -this.#limit);
    return excess.map((oldest) => this.delete(oldest)!);
  }

  /** @returns the value that the key had */
  delete(key: K): V | undefined {
    const value = this.#entries.get(key);
    this.#entries.delete(key);
    return value;
  }

  /** Empty the map. @returns what was in it */
  drain(): V[] {
    const values = [...this.#entries.values()];
    this.#entries.clear();
    return values;
  }
}
