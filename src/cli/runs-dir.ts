// A module of its own, since `--help` waits for it.

import { resolve } from 'node:path';

/** The folder of runs where no flag names it; workers take the same (workers/worker.ts). */
export function defaultRunsDir(): string {
  return resolve(process.env.ANNEAL_RUNS_DIR ?? 'runs');
}
