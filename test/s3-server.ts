// A real S3 server for tests: versitygw over a folder, built once by Go from the pinned module in
// tools/s3 and kept in the user's cache. It listens only on this machine.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../src/config/paths.ts';
import { compileGo, goVersion } from '../src/workers/server/go-tool.ts';
import { freePorts, host } from '../src/workers/server/ports.ts';

const moduleFolder = fileURLToPath(new URL('../tools/s3', import.meta.url));
const startTimeoutMs = 30_000;

export const bucket = 'runs';

export interface S3Server {
  /** Folder of the bucket's objects, as files named by their keys. */
  folder: string;
  /** The standard AWS configuration with which a process can use it. */
  env: Record<string, string>;
  close(): Promise<void>;
}

/** Why the tests that need the server are skipped: there is no Go, and no earlier build. */
export async function s3Missing(): Promise<string | null> {
  if (existsSync(binaryPath()) || (await goVersion(process.env))) return null;
  return 'the S3 server of these tests is built by Go, and there is none on the PATH';
}

function binaryPath(): string {
  const modules = readFileSync(join(moduleFolder, 'go.mod'), 'utf8');
  const version = /versitygw v(\S+)/.exec(modules)![1]!;
  return join(cacheFolder(), 'versitygw', version, 'versitygw');
}

/**
 * Build the server unless an earlier build exists: 1 to 3 minutes on two cores. @returns its path
 */
export async function s3Binary(): Promise<string> {
  const cached = binaryPath();
  if (existsSync(cached)) return cached;
  await mkdir(dirname(cached), { recursive: true });
  const made = await compileGo(
    { name: 'versitygw', moduleFolder, command: 'github.com/versity/versitygw/cmd/versitygw' },
    `${cached}.${process.pid}`,
    { env: process.env, log: console.log },
  );
  if (typeof made !== 'string')
    throw new Error(
      `expected Go 1.26.4 or newer to build the S3 server of the tests, but ${made.reason}; install Go and put it on the PATH`,
    );
  await rename(made, cached);
  return cached;
}

/** Start a server with an empty bucket. */
export async function startS3Server(): Promise<S3Server> {
  const binary = await s3Binary();
  const root = await mkdtemp(join(tmpdir(), 'anneal-s3-'));
  const folder = join(root, 'objects', bucket);
  for (const path of [folder, join(root, 'metadata')]) await mkdir(path, { recursive: true });
  const { port } = await freePorts({ port: 0, uiPort: 0 });
  const env = {
    AWS_ENDPOINT_URL_S3: `http://${host}:${port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'anneal-test',
    AWS_SECRET_ACCESS_KEY: 'anneal-test-secret',
  };
  const keys = ['--access', env.AWS_ACCESS_KEY_ID, '--secret', env.AWS_SECRET_ACCESS_KEY];
  // Some file systems that tests run on do not support extended attributes.
  const backend = ['posix', '--sidecar', join(root, 'metadata'), join(root, 'objects')];
  const server = spawn(binary, ['--port', `${host}:${port}`, '--quiet', ...keys, ...backend], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = once(server, 'exit');
  const end = () => server.kill('SIGTERM');
  process.once('exit', end);
  const close = async () => {
    process.off('exit', end);
    end();
    await ended;
    await rm(root, { recursive: true });
  };
  const deadline = Date.now() + startTimeoutMs;
  while (!(await fetch(env.AWS_ENDPOINT_URL_S3).catch(() => null))) {
    if (server.exitCode !== null || Date.now() > deadline) {
      await close();
      throw new Error(
        `expected versitygw to answer on port ${port}, but it exited or was silent: ${said}`,
      );
    }
    await delay(50);
  }
  return { folder, env, close };
}
