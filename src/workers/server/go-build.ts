// The way by building: Go compiles the pinned official module (tools/temporal), which needs only
// a module proxy. go.sum there pins every byte.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { binaryName, cachedBinaryPath, installBinary, temporalVersion } from './binary.ts';
import {
  type Log,
  type NotFound,
  notFound,
  type ServerBinary,
  type ServerSource,
} from './found-server.ts';

const moduleFolder = fileURLToPath(new URL('../../../tools/temporal', import.meta.url));
const command = 'github.com/temporalio/cli/cmd/temporal';
const reportEveryMs = 30_000;

/** A build by the `go` on the PATH, into the cache. */
export const goBuild: ServerSource<ServerBinary> = {
  name: 'a build by Go',
  async find({ env, log }) {
    const go = await goVersion(env);
    if (!go) return notFound('no `go` on the PATH');
    log(`building Temporal ${temporalVersion} with ${go}: 4 to 5 minutes on 2 cores, this once`);
    return installBinary(cachedBinaryPath(env), this.name, (folder) => build(folder, env, log));
  },
};

async function goVersion(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const answer = await promisify(execFile)('go', ['env', 'GOVERSION'], { env }).catch(
    () => undefined,
  );
  return answer?.stdout.trim();
}

async function build(folder: string, env: NodeJS.ProcessEnv, log: Log): Promise<string | NotFound> {
  const out = join(folder, binaryName);
  const version = `-X github.com/temporalio/cli/internal/temporalcli.Version=${temporalVersion}`;
  const args = ['build', '-v', '-mod=readonly', '-trimpath', '-ldflags', `-s -w ${version}`];
  const go = spawn('go', [...args, '-o', out, command], {
    cwd: moduleFolder,
    // A workspace of the user's would replace the pins; without cgo no C compiler is needed.
    env: { ...env, GOWORK: 'off', CGO_ENABLED: '0' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lastLines = reportBuild(go.stderr, log);
  const [code, signal] = await once(go, 'close');
  return code === 0
    ? out
    : notFound(`go build ended with ${signal ?? code}: ${lastLines().join(' | ')}`);
}

/** Say now and then how far the build is, by the packages that `go build -v` names. */
function reportBuild(stderr: NodeJS.ReadableStream, log: Log): () => string[] {
  const startedAt = Date.now();
  const lines: string[] = [];
  const timer = setInterval(() => {
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    log(`building Temporal: ${seconds} s, ${lines.length} packages so far`);
  }, reportEveryMs);
  createInterface({ input: stderr })
    .on('line', (line) => lines.push(line))
    .on('close', () => clearInterval(timer));
  return () => lines.slice(-5);
}
