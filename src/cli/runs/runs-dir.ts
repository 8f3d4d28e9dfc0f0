// A module of its own, since `--help` waits for it.

import { resolveAddress } from '../../artifacts/address.ts';

/** The folder of runs, or its `s3://` address, where no flag names it. */
export function defaultRunsDir(): string {
  return resolveAddress(process.env.ANNEAL_RUNS_DIR ?? 'runs');
}
