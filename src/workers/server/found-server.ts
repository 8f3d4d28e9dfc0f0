// What looking for a Temporal server yields, and what a way of finding one is. The ways
// themselves are in the files beside this one; find-server.ts tries them in order.

import type { NativeConnectionOptions } from '@temporalio/worker';

/** Somebody else's server, named by the standard Temporal configuration. */
export interface ConfiguredServer {
  kind: 'address';
  /** Where the answer comes from, for people. */
  source: string;
  address: string;
  namespace: string;
  /** Address, TLS and API key, as Connection.connect and NativeConnection.connect take them. */
  connectionOptions: NativeConnectionOptions;
}

/** A `temporal` binary, which carries a server, its Web UI and the CLI. */
export interface ServerBinary {
  kind: 'binary';
  source: string;
  path: string;
  /** As the binary names it, such as `1.8.2 (Server 1.31.2, UI 2.50.1)`. */
  version: string;
}

/** Why a way led nowhere, in words that end a sentence. */
export interface NotFound {
  kind: 'none';
  reason: string;
}

/** Takes a line for people: what is done now, and how long it may take. */
export type Log = (line: string) => void;

export interface FindOptions {
  log: Log;
  /** A `temporal` binary to use, as given by `--temporal-cli`. */
  temporalCli?: string | undefined;
  /** The environment to read; the process's own by default. */
  env?: NodeJS.ProcessEnv;
}

/** A way to a server. It throws only where the user asked for this way and it cannot be gone. */
export interface ServerSource<T extends ConfiguredServer | ServerBinary> {
  name: string;
  find(options: FindOptions & { env: NodeJS.ProcessEnv }): Promise<T | NotFound>;
}

export function notFound(reason: string): NotFound {
  return { kind: 'none', reason };
}
