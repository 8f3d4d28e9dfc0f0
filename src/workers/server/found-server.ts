// Types of the search for a Temporal server: its sources and its results. The sources are in the
// files beside this one; find-server.ts tries them in order.

import type { NativeConnectionOptions } from '@temporalio/worker';

/** A server that is already there, named by the standard Temporal configuration. */
export interface ConfiguredServer {
  kind: 'address';
  /** Where the address comes from, for messages. */
  source: string;
  address: string;
  namespace: string;
  /** Address, TLS and API key, as Connection.connect and NativeConnection.connect take them. */
  connectionOptions: NativeConnectionOptions;
}

/** A `temporal` binary: it contains the server, its Web UI and the CLI. */
export interface ServerBinary {
  kind: 'binary';
  source: string;
  path: string;
  /** As the binary prints it, such as `1.9.1 (Server 1.32.0, UI 2.54.1)`. */
  version: string;
}

/** Why a source found nothing, as the end of a sentence. */
export interface NotFound {
  kind: 'none';
  reason: string;
}

/** Prints a line for the user: what is being done, and how long it may take. */
export type Log = (line: string) => void;

export interface FindOptions {
  log: Log;
  /** A `temporal` binary to use, as given by `--temporal-cli`. */
  temporalCli?: string | undefined;
  /** The environment to read; by default that of the process. */
  env?: NodeJS.ProcessEnv;
  /** Stops a source that is no longer needed. */
  signal?: AbortSignal | undefined;
}

/** A place to look for a server. It throws only if the user asked for it and it fails. */
export interface ServerSource<T extends ConfiguredServer | ServerBinary> {
  name: string;
  find(options: FindOptions & { env: NodeJS.ProcessEnv }): Promise<T | NotFound>;
}

export function notFound(reason: string): NotFound {
  return { kind: 'none', reason };
}
