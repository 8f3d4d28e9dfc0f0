// A real S3 server for tests, with an empty bucket, on this machine only.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { host } from '../src/workers/server/ports.ts';
import { type S3Program, s3Program } from './s3-program.ts';
import { startS3Proxy } from './s3-proxy.ts';

const startTimeoutMs = 60_000;

export const bucket = 'runs';

export interface S3Server {
  /** Environment variables to use it: the standard AWS configuration. */
  env: Record<string, string>;
  /** Make what was stored so far under a prefix of keys look `hours` old. */
  makeOld(prefix: string, hours: number): Promise<void>;
  close(): Promise<void>;
}

const region = 'us-east-1';
const credentials = { accessKeyId: 'anneal-test', secretAccessKey: 'anneal-test-secret' };

/** Start a server. */
export async function startS3Server(): Promise<S3Server> {
  const program = await s3Program();
  const root = await mkdtemp(join(tmpdir(), 'anneal-s3-'));
  const ports = await freePorts(8);
  const server = spawn(program.path, await argumentsFor[program.name](root, ports), {
    cwd: root,
    env: {
      ...process.env,
      ...{ HOME: root, TMPDIR: root },
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-2000);
  });
  const ended = once(server, 'exit');
  const end = () => server.kill('SIGKILL');
  process.once('exit', end);
  const client = new S3Client({
    endpoint: `http://${host}:${ports[0]}`,
    ...{ credentials, region, maxAttempts: 1, forcePathStyle: true },
  });
  const proxy = await startS3Proxy(ports[0]!, client);
  const close = async () => {
    process.off('exit', end);
    await proxy.close();
    client.destroy();
    end();
    await ended;
    await rm(root, { recursive: true });
  };
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const failure = await createBucket(client).then(
      () => null,
      (error: Error) => error,
    );
    if (!failure) break;
    if (server.exitCode !== null || Date.now() > deadline) {
      await close();
      const message = `expected ${program.path} to serve S3 on port ${ports[0]}: ${failure.message}. The end of its output:\n${output}`;
      throw new Error(message);
    }
    await delay(100);
  }
  return {
    env: {
      AWS_ENDPOINT_URL_S3: `http://${host}:${proxy.port}`,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    makeOld: (prefix, hours) => proxy.makeOld(`${bucket}/${prefix}`, hours),
    close,
  };
}

/** The first port is that of S3. */
const argumentsFor: Record<
  S3Program['name'],
  (root: string, ports: number[]) => Promise<string[]>
> = {
  async seaweedfs(root, ports) {
    const [s3, ...others] = ports;
    const names = ['s3.port.grpc', 'filer.port', 'filer.port.grpc', 'master.port'];
    names.push('master.port.grpc', 'volume.port', 'volume.port.grpc');
    return [
      ...['-logtostderr=true', 'server', `-dir=${root}`, `-ip=${host}`, `-ip.bind=${host}`],
      ...['-s3', `-s3.port=${s3}`, '-s3.port.iceberg=0', '-s3.port.lance=0'],
      '-s3.autoCreateBucket=false',
      ...names.map((name, index) => `-${name}=${others[index]}`),
      ...[`-s3.localSocket=${root}/s3.sock`, `-filer.localSocket=${root}/filer.sock`],
      // Small volumes, as many as there is room for.
      ...['-master.volumeSizeLimitMB=64', '-volume.max=0', '-master.telemetry=false'],
    ];
  },
  async versitygw(root, [s3]) {
    const [objects, metadata] = [join(root, 'objects'), join(root, 'metadata')];
    for (const path of [objects, metadata]) await mkdir(path);
    const keys = ['--access', credentials.accessKeyId, '--secret', credentials.secretAccessKey];
    // Some file systems keep no extended attributes.
    const backend = ['posix', '--sidecar', metadata, objects];
    return ['--port', `${host}:${s3}`, '--quiet', ...keys, ...backend];
  },
};

/** Create the bucket, and write to it: a server may not be ready to store when it answers. */
async function createBucket(client: S3Client): Promise<void> {
  await client.send(new CreateBucketCommand({ Bucket: bucket })).catch((error) => {
    if (!/^BucketAlready/.test(error.name)) throw error;
  });
  const probe = { Bucket: bucket, Key: 'probe' };
  await client.send(new PutObjectCommand({ ...probe, Body: 'x' }));
  await client.send(new DeleteObjectCommand(probe));
}

async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  for (let index = 0; index < count; index++) {
    const server = createServer().listen(0, host);
    await once(server, 'listening');
    servers.push(server);
  }
  return Promise.all(
    servers.map(async (server) => {
      const { port } = server.address() as { port: number };
      await new Promise((resolve) => server.close(resolve));
      return port;
    }),
  );
}
