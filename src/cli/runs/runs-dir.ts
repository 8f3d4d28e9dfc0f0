// The default folder of runs; in its own module, so that help loads quickly.

import { resolveAddress } from '../../artifacts/address.ts';

/** The folder of runs, or its `s3://` address, if no flag names it. */
export function defaultRunsDir(): string {
  return resolveAddress(process.env.ANNEAL_RUNS_DIR ?? 'runs');
}
