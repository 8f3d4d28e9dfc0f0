// Many requests to a store, a few at once.

const concurrency = 16;

/** `task` of every item, a few at once; results in their order. */
export async function together<T, R>(
  items: readonly T[],
  task: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += concurrency)
    results.push(...(await Promise.all(items.slice(start, start + concurrency).map(task))));
  return results;
}
