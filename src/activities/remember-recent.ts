// Remembers results that activities need again and again.

import { LruMap } from '../collections/lru-map.ts';

const remembered = 4;

/** `make`, with its latest results remembered by key. Failures are forgotten. */
export function rememberRecent<T, V>(make: (input: T) => Promise<V>, keyOf: (input: T) => string) {
  const known = new LruMap<string, Promise<V>>(remembered);
  return (input: T): Promise<V> => {
    const key = keyOf(input);
    const found = known.get(key);
    if (found) return found;
    const value = make(input);
    void known.set(key, value);
    value.catch(() => void known.delete(key));
    return value;
  };
}
