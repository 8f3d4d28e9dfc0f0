// Finds or starts the Temporal server of a command.

import { joinServer, type TemporalServer } from './connect.ts';
import { startServer } from './embedded-server.ts';
import { findServer } from './find-server.ts';
import type { FindOptions } from './found-server.ts';

export interface OpenOptions extends FindOptions {
  /** Folder of the data of an embedded server, if one is started. */
  dataDir: string;
}

/**
 * A Temporal server that answers and has the search attributes. `log` says which one it is, and
 * how long a download or build may take.
 * @throws AnnealError NoServer or InvalidConfig, with what to do
 */
export async function openServer(options: OpenOptions): Promise<TemporalServer> {
  const found = await findServer(options);
  if (found.kind === 'address') return joinServer(found, options.log);
  const { dataDir, log } = options;
  return startServer({ binary: found.path, dataDir, log });
}
