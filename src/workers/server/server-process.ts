// Starts a process of `temporal server start-dev`, waits until it answers, and ends it. It has its
// own process group, so that Ctrl-C in a terminal does not reach it.

import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AnnealError } from '../../errors.ts';
import { plainEnvironment } from '../../process/environment.ts';
import { verifyServer } from './connect.ts';
import type { Log } from './found-server.ts';
import { host, type Ports } from './ports.ts';
import { searchAttributeFlags } from './search-attributes.ts';
import { databasePath } from './server-record.ts';

const startTimeoutMs = 60_000;
const endTimeoutMs = 10_000;
const pollMs = 100;
const logLimitBytes = 10_000_000;

export const embeddedNamespace = 'default';

/**
 * The server has no flag that turns its HTTP API off, and the API takes a form post of any web page.
 * It refuses requests to hosts that it does not know; no page has one in `.invalid` (RFC 6761).
 */
const closedHttpApi = ['--dynamic-config-value', 'frontend.httpAllowedHosts=["closed.invalid"]'];

export interface LaunchOptions {
  /** Path of the `temporal` binary. */
  binary: string;
  dataDir: string;
  ports: Ports;
  log: Log;
}

/**
 * Start a server with the data in `dataDir` and wait until it answers.
 * @returns its process id
 * @throws AnnealError NoServer with the end of its log if it ends or does not answer
 */
export async function launchServer(options: LaunchOptions): Promise<number> {
  const { child, logStart } = spawnServer(options);
  let ended: string | undefined;
  child.on('error', (error) => {
    ended = error.message;
  });
  child.on('exit', (code, signal) => {
    ended = `it ended with ${signal ?? code}`;
  });
  const deadline = performance.now() + startTimeoutMs;
  let silence = 'no answer';
  while (!ended && performance.now() < deadline) {
    const answer = await answers(options).catch((error: Error) => error);
    if (!(answer instanceof Error) && child.pid && !ended) return child.pid;
    if (answer instanceof AnnealError) ended = answer.message;
    if (answer instanceof Error) silence = answer.message;
    await delay(pollMs);
  }
  child.kill('SIGKILL');
  throw await startFailure(
    options,
    logStart,
    ended ?? `${silence} within ${startTimeoutMs / 1000} s`,
  );
}

/** Ask a server to end, and kill it if it does not. */
export async function endServer(pid: number, isRunning: () => boolean): Promise<void> {
  const deadline = performance.now() + endTimeoutMs;
  if (isRunning()) process.kill(pid, 'SIGTERM');
  while (isRunning()) {
    if (performance.now() > deadline) process.kill(pid, 'SIGKILL');
    await delay(pollMs);
  }
}

function spawnServer({ binary, dataDir, ports }: LaunchOptions) {
  const output = openSync(logPath(dataDir), logFlags(dataDir), 0o600);
  const logStart = fstatSync(output).size;
  const where = ['--ip', host, '--port', String(ports.port), '--ui-port', String(ports.uiPort)];
  const args = ['server', 'start-dev', '--db-filename', databasePath(dataDir), ...where];
  const quiet = ['--log-level', 'warn', '--log-format', 'json', '--ui-disable-news-fetch'];
  const flags = [...args, ...quiet, ...closedHttpApi, ...searchAttributeFlags()];
  // The database and its side files get their permissions from the server's umask.
  const umask = process.umask(0o077);
  try {
    const child = spawn(binary, flags, {
      detached: true,
      env: plainEnvironment(),
      stdio: ['ignore', output, output],
      windowsHide: true,
    });
    child.unref();
    return { child, logStart };
  } finally {
    process.umask(umask);
    closeSync(output);
  }
}

async function answers({ ports, log }: LaunchOptions): Promise<void> {
  const connectionOptions = { address: `${host}:${ports.port}` };
  await verifyServer({ connectionOptions, namespace: embeddedNamespace }, log);
}

function logPath(dataDir: string): string {
  return join(dataDir, 'server.log');
}

/** Append to the log of the last server, unless it is too long. */
function logFlags(dataDir: string): 'a' | 'w' {
  const size = statSync(logPath(dataDir), { throwIfNoEntry: false })?.size ?? 0;
  return size > logLimitBytes ? 'w' : 'a';
}

/** `logStart` is where this server's part of the log begins; before it is what earlier ones wrote. */
async function startFailure(
  options: LaunchOptions,
  logStart: number,
  why: string,
): Promise<AnnealError> {
  const path = logPath(options.dataDir);
  const log = await readFile(path).catch(() => Buffer.alloc(0));
  const tail = log.subarray(logStart).toString().trim().split('\n').slice(-5).join('\n');
  const said = tail ? `The end of ${path}:\n${tail}` : `It wrote nothing to ${path}.`;
  return new AnnealError(
    'NoServer',
    `expected ${options.binary} to serve on ${host}:${options.ports.port}: ${why}. ${said}`,
  );
}
