// Connects clients to a server, and checks that it answers.

import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { AnnealError } from '../../errors.ts';
import { dataConverter } from '../payloads/data-converter.ts';
import { connectionProblem } from './connection-problem.ts';
import type { ConfiguredServer, Log } from './found-server.ts';
import { ensureSearchAttributes } from './search-attributes.ts';

/** A server that answers and knows Anneal's search attributes. */
export interface TemporalServer {
  address: string;
  namespace: string;
  /** Address, TLS and API key, as Connection.connect and NativeConnection.connect take them. */
  connectionOptions: ConfiguredServer['connectionOptions'];
  /** URL of the Web UI, if known. */
  uiUrl: string | null;
  /** A `temporal` binary that matches the server, if there is one. */
  cliPath: string | null;
  /** Stop using it. An embedded server ends when its last user closes it. */
  close(): Promise<void>;
}

type Reachable = Pick<TemporalServer, 'connectionOptions' | 'namespace'>;

/** Time limit for a connection, and for the answer to a call. */
const answerTimeoutMs = 5_000;

/**
 * A client of the server; close it with `client.connection.close()`.
 * @throws AnnealError InvalidConfig if the payload keys are not valid
 */
export async function connect(server: Reachable): Promise<Client & { connection: Connection }> {
  const options = server.connectionOptions as ConnectionOptions;
  const converter = dataConverter();
  const connection = await Connection.connect({ connectTimeout: answerTimeoutMs, ...options });
  const { namespace } = server;
  return new Client({ connection, namespace, dataConverter: converter }) as Client & {
    connection: Connection;
  };
}

/**
 * Check that the server has the namespace, and register missing search attributes. Throws the
 * connection's error if nothing answers.
 */
export async function verifyServer(server: Reachable, log: Log): Promise<void> {
  const { connection } = await connect(server);
  const { namespace } = server;
  try {
    await connection.withDeadline(Date.now() + 2 * answerTimeoutMs, async () => {
      await connection.workflowService.describeNamespace({ namespace });
      await ensureSearchAttributes(connection, namespace, log);
    });
  } finally {
    await connection.close();
  }
}

/**
 * Use a configured server.
 * @throws AnnealError NoServer if it does not answer, or lacks the namespace or search attributes
 */
export async function joinServer(found: ConfiguredServer, log: Log): Promise<TemporalServer> {
  try {
    await verifyServer(found, log);
  } catch (cause) {
    if (cause instanceof AnnealError) throw cause;
    const problem = await connectionProblem(found.connectionOptions).catch(
      ({ message }) => message,
    );
    const why = problem ?? (cause as Error).message;
    const message = `${found.source} names ${found.address} (namespace '${found.namespace}'), which does not answer as a Temporal server: ${why}. Start it or fix the configuration, or unset it and Anneal starts a server`;
    throw new AnnealError('NoServer', message, { cause });
  }
  const { address, namespace, connectionOptions } = found;
  return {
    address,
    namespace,
    connectionOptions,
    uiUrl: null,
    cliPath: null,
    close: async () => {},
  };
}
