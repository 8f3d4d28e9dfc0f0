// The Temporal server of a folder of runs: starts or finds it, or uses it only if it is running. The
// embedded server keeps its data among the runs.

import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Client, Connection } from '@temporalio/client';
import { isS3Url, parseS3Url } from '../../artifacts/address.ts';
import { AnnealError } from '../../errors.ts';
import { connect, type TemporalServer } from '../../workers/server/connect.ts';
import { configuredServer } from '../../workers/server/local-sources.ts';
import { openServer } from '../../workers/server/open-server.ts';
import { isRunning, readRecord } from '../../workers/server/server-record.ts';

/** Where the runs are, and how to start their server. */
export interface Place {
  runsDir: string;
  /** A `temporal` binary to use. */
  temporalCli?: string | undefined;
}

/** A server and a client of it. */
export interface Temporal {
  server: TemporalServer;
  client: Client & { connection: Connection };
  close(): Promise<void>;
}

/**
 * Folder of the embedded server's database, log and ports: among the runs, or for runs in S3 in the
 * user's state folder (XDG_STATE_HOME).
 */
export function dataDirOf(runsDir: string): string {
  if (isS3Url(runsDir)) {
    const { bucket, prefix } = parseS3Url(runsDir);
    const state = process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state');
    return join(state, 'anneal', bucket, prefix);
  }
  return join(runsDir, '.anneal');
}

/**
 * Find or start a server, and connect to it.
 * @throws AnnealError NoServer naming what was tried and what to do.
 */
export async function openTemporal(place: Place, log: (line: string) => void): Promise<Temporal> {
  const { runsDir, temporalCli } = place;
  const server = await openServer({ dataDir: dataDirOf(runsDir), temporalCli, log });
  try {
    const client = await connect(server);
    const close = async () => {
      await client.connection.close();
      await server.close();
    };
    return { server, client, close };
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** Whether a server is configured, or the embedded server of these runs is running. */
export async function isServerUp(runsDir: string): Promise<boolean> {
  const configured = await configuredServer.find({ env: process.env, log: () => {} });
  const dataDir = dataDirOf(runsDir);
  return configured.kind === 'address' || isRunning(dataDir, readRecord(dataDir));
}

/**
 * Run `action` with the running server; starts none.
 * @throws AnnealError NoServer if none is running.
 */
export async function withLiveTemporal<T>(
  place: Place,
  action: (temporal: Temporal) => Promise<T>,
): Promise<T> {
  if (!(await isServerUp(place.runsDir)))
    throw new AnnealError(
      'NoServer',
      `expected a Temporal server for the runs in ${place.runsDir}, but none is running. ` +
        'Start one with `anneal dev`, or set TEMPORAL_ADDRESS to yours.',
    );
  const temporal = await openTemporal(place, () => {});
  try {
    return await action(temporal);
  } finally {
    await temporal.close();
  }
}

/** Address of a run's page in the Web UI; null if the Web UI is unknown. */
export function webPageOf(server: TemporalServer, run: string): string | null {
  if (server.uiUrl === null) return null;
  return `${server.uiUrl}/namespaces/${server.namespace}/workflows/${encodeURIComponent(run)}`;
}
