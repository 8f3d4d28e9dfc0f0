// Runs many tasks, a few at a time. Workflows use it too, so it starts tasks in a fixed order and
// uses nothing but promises.

/**
 * Run `task` for every item, at most `limit` at a time. After a failure no further task starts;
 * those in flight finish first, so that their work is not lost, and then the failure is thrown.
 * @returns the results in the order of the items
 */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  task: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(items.length);
  const queue = items.entries();
  let failed = false;
  const lane = async () => {
    for (const [index, item] of queue) {
      if (failed) return;
      try {
        results[index] = await task(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = Array.from({ length: Math.min(limit, items.length) }, lane);
  for (const ended of await Promise.allSettled(lanes))
    if (ended.status === 'rejected') throw ended.reason;
  return results;
}
