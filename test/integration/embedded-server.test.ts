import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
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

it.runIf(process.platform === 'linux')(
  'gets no secrets of the process that starts it',
  async () => {
    process.env.AWS_SECRET_ACCESS_KEY = 'planted';
    try {
      await start();
      const environment = await readFile(`/proc/${serverPid()}/environ`, 'utf8');
      expect(environment).toContain('PATH=');
      expect(environment).not.toContain('planted');
    } finally {
      delete process.env.AWS_SECRET_ACCESS_KEY;
    }
  },
);

/** Send a request as a browser does: with the host of its page's address. @returns the status */
function send(port: number, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, path, method: 'POST', headers };
    const sent = request(options, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode!));
    });
    // A gRPC port does not answer in HTTP/1.1.
    sent.on('error', () => resolve(Number.POSITIVE_INFINITY));
    sent.end('{"workflowType":{"name":"trainingRun"},"taskQueue":{"name":"anneal"}}');
  });
}

/** The number of workflows that were ever started. */
async function countWorkflows(server: TemporalServer): Promise<number> {
  const client = await connect(server);
  const { count } = await client.workflow.count();
  await client.connection.close();
  return count;
}

/** The ports that a process listens on, from Linux's tables. */
async function portsOf(pid: number): Promise<number[]> {
  const folder = `/proc/${pid}/fd`;
  const links = (await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(() => ''));
  const open = new Set(await Promise.all(links));
  const rows = (await readFile(`/proc/${pid}/net/tcp`, 'utf8')).trim().split('\n').slice(1);
  return rows.flatMap((row) => {
    const [, local, , state, , , , , , inode] = row.trim().split(/\s+/);
    const listens = state === '0A' && open.has(`socket:[${inode}]`);
    return listens ? [Number.parseInt(local!.split(':')[1]!, 16)] : [];
  });
}

/** Posts that a browser sends without asking the server first (a simple request). */
const simpleTypes = [
  'text/plain',
  'text/plain;charset=UTF-8',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
];

it.runIf(process.platform === 'linux')(
  'starts no workflow for a web page of another origin, on any of its ports',
  async () => {
    const server = await start();
    const ports = await portsOf(serverPid()!);
    // gRPC, its HTTP API, the Web UI with its own way to the API, metrics.
    expect(ports.length).toBeGreaterThanOrEqual(4);
    const path = '/namespaces/default/workflows/x';
    const answers: number[] = [];
    for (const port of ports)
      for (const type of simpleTypes)
        for (const origin of ['http://evil.example', 'null', `http://127.0.0.1:${port + 1}`]) {
          const headers = { 'content-type': type, origin };
          // A page whose own name resolves to this machine by now (DNS rebinding) is its origin.
          const rebound = { ...headers, host: `evil.example:${port}` };
          for (const sent of [headers, rebound])
            answers.push(await send(port, path, sent), await send(port, `/api/v1${path}`, sent));
        }
    expect(Math.min(...answers)).toBeGreaterThanOrEqual(400);
    await leaveWorkflow(server);
    // Workflows are listed a little after they are started.
    for (let tries = 0; (await countWorkflows(server)) === 0 && tries < 100; tries++)
      await delay(100);
    expect(await countWorkflows(server)).toBe(1);
  },
);

it.runIf(process.platform !== 'win32')('keeps its files from other users', async () => {
  const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
  const modes = async () => {
    const names = await readdir(dataDir);
    expect(names).toEqual(expect.arrayContaining(['temporal.db', 'server.log', 'server.json']));
    const paths = names.map((name) => join(dataDir, name));
    return new Set(await Promise.all([dataDir, ...paths].map(modeOf)));
  };
  const umask = process.umask(0);
  try {
    const first = await start();
    await leaveWorkflow(first);
    expect(process.umask()).toBe(0);
    expect(await modes()).toEqual(new Set(['700', '600']));
    await first.close();
    // As an earlier version left them.
    for (const name of await readdir(dataDir)) await chmod(join(dataDir, name), 0o644);
    await chmod(dataDir, 0o755);
    const second = await start();
    expect(await keptStatus(second)).toBe('RUNNING');
    expect(await modes()).toEqual(new Set(['700', '600']));
  } finally {
    process.umask(umask);
  }
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
