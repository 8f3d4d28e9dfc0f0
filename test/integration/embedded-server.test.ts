import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connect, joinServer, type TemporalServer } from '../../src/workers/server/connect.ts';
import { startServer } from '../../src/workers/server/embedded-server.ts';
import { freePorts } from '../../src/workers/server/ports.ts';
import { isRunning, readRecord } from '../../src/workers/server/server-record.ts';
import { searchKeys } from '../../src/workflows/search-attributes.ts';

let dataDir: string;
const servers: TemporalServer[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'anneal-server-'));
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await rm(dataDir, { recursive: true });
});

async function start(log: string[] = []): Promise<TemporalServer> {
  const server = await startServer({
    binary: process.env.ANNEAL_TEMPORAL_CLI!,
    dataDir,
    log: (line) => log.push(line),
    ports: { port: 0, uiPort: 0 },
  });
  servers.push(server);
  return server;
}

/** A process that uses the server until it is killed or its standard input ends. */
async function holdServer() {
  const script = fileURLToPath(new URL('./hold-server.ts', import.meta.url));
  const holder = spawn(process.execPath, [script, process.env.ANNEAL_TEMPORAL_CLI!, dataDir]);
  const [started] = await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit')]);
  expect(String(started)).toMatch(/^127/);
  return holder;
}

/** Start a workflow that no worker runs, so that the server has data to keep. */
async function leaveWorkflow(server: TemporalServer): Promise<void> {
  const client = await connect(server);
  await client.workflow.start('nobody', { workflowId: 'kept', taskQueue: 'nowhere' });
  await client.connection.close();
}

async function keptStatus(server: TemporalServer): Promise<string> {
  const client = await connect(server);
  const { status } = await client.workflow.getHandle('kept').describe();
  await client.connection.close();
  return status.name;
}

const serverPid = () => readRecord(dataDir)?.pid ?? null;

async function newPid(old: number | null): Promise<number | null> {
  for (let tries = 0; tries < 300 && serverPid() === old; tries++) await delay(100);
  return serverPid();
}

it('serves its Web UI and knows the search attributes', async () => {
  const server = await start();
  expect((await fetch(server.uiUrl!)).status).toBe(200);
  const client = await connect(server);
  const known = await client.connection.operatorService.listSearchAttributes({
    namespace: server.namespace,
  });
  await client.connection.close();
  expect(Object.keys(known.customAttributes!)).toEqual(
    expect.arrayContaining(Object.values(searchKeys).map(({ name }) => name)),
  );
});

it('is restarted if it dies, on the same port, with its data', async () => {
  const log: string[] = [];
  const server = await start(log);
  const { address } = server;
  await leaveWorkflow(server);
  const killed = serverPid()!;
  process.kill(killed, 'SIGKILL');
  expect(await newPid(killed)).toBeGreaterThan(0);
  expect(serverPid()).not.toBe(killed);
  expect(server.address).toBe(address);
  expect(await keptStatus(server)).toBe('RUNNING');
  expect(log).toContainEqual(expect.stringContaining('died; restarting it'));
});

it('stops with its last user, and starts later on the same ports with its data', async () => {
  const first = await start();
  const second = await start();
  expect(second.address).toBe(first.address);
  await leaveWorkflow(first);
  await first.close();
  expect(await keptStatus(second)).toBe('RUNNING');
  await second.close();
  expect(serverPid()).toBeNull();
  await expect(connect(second)).rejects.toThrow();
  const third = await start();
  expect(third.address).toBe(first.address);
  expect(await keptStatus(third)).toBe('RUNNING');
});

it('outlives a killed process, and is reused by the next', async () => {
  const holder = await holdServer();
  const pid = serverPid();
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const server = await start();
  expect(serverPid()).toBe(pid);
  await server.close();
  expect(serverPid()).toBeNull();
});

it('stops with a process that exits without closing it', async () => {
  const holder = await holdServer();
  const running = () => isRunning(dataDir, readRecord(dataDir));
  expect(running()).toBe(true);
  holder.stdin.end();
  await once(holder, 'exit');
  for (let tries = 0; running() && tries < 100; tries++) await delay(100);
  expect(running()).toBe(false);
});

it("joins somebody else's server, and creates the search attributes that it lacks", async () => {
  const { address, namespace, connectionOptions } = await start();
  const client = await connect({ connectionOptions, namespace });
  await client.connection.operatorService.removeSearchAttributes({
    namespace,
    searchAttributes: ['AnnealPhase'],
  });
  const found = {
    kind: 'address',
    source: 'a test',
    address,
    namespace,
    connectionOptions,
  } as const;
  const joined = await joinServer(found, () => {});
  const known = await client.connection.operatorService.listSearchAttributes({ namespace });
  await client.connection.close();
  expect(known.customAttributes).toHaveProperty('AnnealPhase');
  await joined.close();
  expect(serverPid()).not.toBeNull();
});

it('says which setting names a server that does not answer', async () => {
  const { port } = await freePorts({ port: 0, uiPort: 0 });
  const address = `127.0.0.1:${port}`;
  const connectionOptions = { address };
  const found = {
    kind: 'address',
    source: 'a test',
    address,
    namespace: 'default',
    connectionOptions,
  } as const;
  await expect(joinServer(found, () => {})).rejects.toMatchObject({
    kind: 'NoServer',
    message: expect.stringContaining(`a test names ${address}`),
  });
});
