// A client's connection to a found or started server, and the test that it answers.

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
  /** What Connection.connect and NativeConnection.connect take: address, TLS, API key. */
  connectionOptions: ConfiguredServer['connectionOptions'];
  /** Of the Web UI, where it is known. */
  uiUrl: string | null;
  /** A `temporal` binary that speaks to it, where there is one. */
  cliPath: string | null;
  /** Done with it. An embedded server ends when the last process that uses it is done. */
  close(): Promise<void>;
}

type Reachable = Pick<TemporalServer, 'connectionOptions' | 'namespace'>;

/** Time for a server to take a connection, and to answer one call. */
const answerTimeoutMs = 5_000;

/**
 * A client of the server; close its connection with `client.connection.close()`.
 * @throws AnnealError InvalidConfig for payload keys that cannot be used
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
 * Ask the server for its namespace and see to its search attributes. Throws what the connection
 * does where nothing answers.
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
 * Somebody else's server, once it has answered.
 * @throws AnnealError NoServer where it does not, or lacks the namespace or search attributes
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
    const message = `${found.source} names ${found.address} (namespace '${found.namespace}'), which does not answer as a Temporal server: ${why}. Start it or mend the configuration, or unset that and Anneal starts one`;
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
