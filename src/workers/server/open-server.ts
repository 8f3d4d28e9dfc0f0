// The one call that gives a command its Temporal server: found, or started.

import { joinServer, type TemporalServer } from './connect.ts';
import { startServer } from './embedded-server.ts';
import { findServer } from './find-server.ts';
import type { FindOptions } from './found-server.ts';

export interface OpenOptions extends FindOptions {
  /** Folder of the embedded server's data, where one is started. */
  dataDir: string;
}

/**
 * A Temporal server that answers and knows the search attributes. `log` is told which was taken
 * and how long that may take.
 * @throws AnnealError NoServer or InvalidConfig, with what to do
 */
export async function openServer(options: OpenOptions): Promise<TemporalServer> {
  const found = await findServer(options);
  if (found.kind === 'address') return joinServer(found, options.log);
  const { dataDir, log } = options;
  return startServer({ binary: found.path, dataDir, log });
}
