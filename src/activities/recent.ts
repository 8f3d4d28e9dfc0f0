// Remembers what was made last, for what is asked for again and again.

const remembered = 4;

/** `make`, but for keys asked for lately: those get what they got before. Failures are forgotten. */
export function rememberRecent<K, V>(make: (key: K) => Promise<V>, nameOf: (key: K) => string) {
  const known = new Map<string, Promise<V>>();
  return (key: K): Promise<V> => {
    const name = nameOf(key);
    const value = known.get(name) ?? make(key);
    known.delete(name);
    known.set(name, value);
    value.catch(() => known.delete(name));
    for (const oldest of known.keys()) if (known.size > remembered) known.delete(oldest);
    return value;
  };
}
