// Connections with TLS and an API key from the standard Temporal configuration: the client, the
// worker and Temporal's own command line, with a server behind a TLS proxy.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it as test } from 'vitest';
import { taskQueues } from '../../src/activities/task-queues.ts';
import { connect, joinServer, type TemporalServer } from '../../src/workers/server/connect.ts';
import { startServer } from '../../src/workers/server/embedded-server.ts';
import { configuredServer } from '../../src/workers/server/local-sources.ts';
import { superviseWorker } from '../../src/workers/supervisor.ts';
import {
  type Certificates,
  makeCertificates,
  opensslMissing,
  serverName,
  startTlsProxy,
  type TlsProxy,
} from './tls-proxy.ts';

const missing = opensslMissing();
if (missing) console.warn(`skipped: ${missing}`);
const it = test.skipIf(missing !== null);

const key = 'planted-api-key-0123456789';
const exec = promisify(execFile);

let folder: string;
let certificates: Certificates;
let server: TemporalServer;
/** One that accepts anyone, and one that requires a client certificate. */
let proxy: TlsProxy;
let mutual: TlsProxy;
beforeAll(async () => {
  if (missing) return;
  folder = await mkdtemp(join(tmpdir(), 'anneal-tls-'));
  certificates = makeCertificates(folder);
  server = await startServer({
    binary: process.env.ANNEAL_TEMPORAL_CLI!,
    dataDir: join(folder, 'server'),
    ports: { port: 0, uiPort: 0 },
    log: () => {},
  });
  proxy = await startTlsProxy(server.address, certificates.server);
  mutual = await startTlsProxy(server.address, certificates.server, certificates.ca);
});
afterAll(async () => {
  await proxy?.close();
  await mutual?.close();
  await server?.close();
  if (folder) await rm(folder, { recursive: true });
});

const authority = () => ({ TEMPORAL_TLS_SERVER_CA_CERT_PATH: certificates.ca });
const named = { TEMPORAL_TLS_SERVER_NAME: serverName };
const clientCertificate = () => ({
  TEMPORAL_TLS_CLIENT_CERT_PATH: certificates.client.cert,
  TEMPORAL_TLS_CLIENT_KEY_PATH: certificates.client.key,
});
/** Everything that the stricter proxy requires, and an API key. */
const everything = () => ({
  TEMPORAL_ADDRESS: mutual.address,
  TEMPORAL_API_KEY: key,
  ...authority(),
  ...named,
  ...clientCertificate(),
});

/** The server that the commands use with that configuration. */
async function joined(settings: NodeJS.ProcessEnv): Promise<TemporalServer> {
  const found = await configuredServer.find({ env: { HOME: folder, ...settings }, log: () => {} });
  if (found.kind !== 'address') throw new Error(found.reason);
  return joinServer(found, () => {});
}

it('joins a server if its authority and name are configured', async () => {
  const settings = { TEMPORAL_ADDRESS: proxy.address, ...authority(), ...named };
  await expect(joined(settings)).resolves.toMatchObject({ address: proxy.address });
});

it.each([
  ['no TLS', () => ({ TEMPORAL_ADDRESS: proxy.address }), 'TEMPORAL_TLS=true'],
  [
    'an authority that is not configured',
    () => ({ TEMPORAL_ADDRESS: proxy.address, TEMPORAL_TLS: 'true', ...named }),
    'TEMPORAL_TLS_SERVER_CA_CERT_PATH',
  ],
  [
    'a certificate for another name',
    () => ({ TEMPORAL_ADDRESS: proxy.address, ...authority() }),
    'TEMPORAL_TLS_SERVER_NAME',
  ],
  [
    'no client certificate, although one is required',
    () => ({ TEMPORAL_ADDRESS: mutual.address, ...authority(), ...named }),
    'TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH',
  ],
  [
    'TLS to a server without TLS',
    () => ({ TEMPORAL_ADDRESS: server.address, ...authority(), ...named }),
    'TEMPORAL_TLS=false',
  ],
])('%s: refused, with what to set', async (_, settings, advice) => {
  const message = expect.stringContaining(advice);
  await expect(joined(settings())).rejects.toMatchObject({ kind: 'NoServer', message });
});

it('refuses a client certificate without its key, which the SDK would silently ignore', async () => {
  const { TEMPORAL_TLS_CLIENT_KEY_PATH, ...half } = everything();
  const message = expect.stringContaining('found only the certificate');
  await expect(joined(half)).rejects.toMatchObject({ kind: 'InvalidConfig', message });
});

it('accepts the same settings from a profile of the configuration file', async () => {
  const path = join(folder, 'temporal.toml');
  const { cert, key: keyPath } = certificates.client;
  const lines = [
    '[profile.gateway]',
    `address = "${mutual.address}"`,
    `api_key = "${key}"`,
    '[profile.gateway.tls]',
    `server_ca_cert_path = "${certificates.ca}"`,
    `server_name = "${serverName}"`,
    `client_cert_path = "${cert}"`,
    `client_key_path = "${keyPath}"`,
  ];
  await writeFile(path, lines.join('\n'), { mode: 0o600 });
  const before = mutual.authorizations.length;
  await joined({ TEMPORAL_CONFIG_FILE: path, TEMPORAL_PROFILE: 'gateway' });
  expect(new Set(mutual.authorizations.slice(before))).toEqual(new Set([`Bearer ${key}`]));
  await rm(path);
});

it('runs with mTLS and an API key, and leaks the key into no history, log, file or output', async () => {
  const runsDir = join(folder, 'runs');
  const gateway = await joined(everything());
  const log: string[] = [];
  const note = (line: string) => log.push(line);
  const before = mutual.authorizations.length;
  const worker = superviseWorker({ server: gateway, runsDir, log: note, output: note });
  const client = await connect(gateway);
  try {
    const run = await client.workflow.start('trainingRun', {
      workflowId: 'by-tls',
      taskQueue: taskQueues.workflows,
      args: [{ model: { path: 'nowhere' } }],
    });
    await expect(run.result()).rejects.toThrow();
    const anneal = async (...args: string[]) => {
      const env = { PATH: process.env.PATH, HOME: folder, ANNEAL_DEBUG: '1', ...everything() };
      const binary = { ANNEAL_TEMPORAL_CLI: process.env.ANNEAL_TEMPORAL_CLI };
      const call = exec(process.execPath, ['bin/anneal.mjs', ...args], {
        env: { ...env, ...binary },
      });
      const { stdout, stderr } = await call.catch((error) => error);
      return stdout + stderr;
    };
    const history = await anneal(
      'temporal',
      'workflow',
      'show',
      '--workflow-id',
      'by-tls',
      '--output',
      'json',
    );
    expect(JSON.parse(history).events[0].workflowExecutionStartedEventAttributes).toBeDefined();
    const status = await anneal('status', 'by-tls', '--runs-dir', runsDir);
    expect(status).toContain('by-tls');
    expect(new Set(mutual.authorizations.slice(before))).toEqual(new Set([`Bearer ${key}`]));
    for (const text of [history, status, log.join('\n')]) expect(text).not.toContain(key);
    await expect(exec('grep', ['-rlaF', key, folder])).rejects.toMatchObject({
      code: 1,
      stdout: '',
    });
  } finally {
    await client.connection.close();
    await worker.close();
  }
});
