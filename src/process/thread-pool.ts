// Keeps a process from waiting forever for a file that has long been read or written.

import { randomBytes } from 'node:crypto';

const intervalMs = 1000;

/**
 * Give Node's thread pool a moment's work once a second, without keeping the process alive. A
 * wake-up of its threads can be lost (glibc before 2.41, sourceware bug 25847): a request then
 * waits until another one comes, which in an idle process may be never.
 */
export function keepThreadPoolAwake(): void {
  setInterval(() => randomBytes(1, () => {}), intervalMs).unref();
}
