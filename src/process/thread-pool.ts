// Works around lost wake-ups of Node's thread pool.

import { randomBytes } from 'node:crypto';

const intervalMs = 1000;

/**
 * Give Node's thread pool a tiny task every second, without keeping the process alive. A wake-up of
 * its threads can be lost (glibc before 2.41, sourceware bug 25847); a file request then waits for
 * the next one, which in an idle process may never come.
 */
export function keepThreadPoolAwake(): void {
  setInterval(() => randomBytes(1, () => {}), intervalMs).unref();
}
