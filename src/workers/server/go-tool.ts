// Compiles programs from pinned modules with the `go` on the PATH.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { type Log, type NotFound, notFound } from './found-server.ts';

const reportEveryMs = 30_000;

/** The version of the `go` on the PATH; undefined if there is none. */
export async function goVersion(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const answer = await promisify(execFile)('go', ['env', 'GOVERSION'], { env }).catch(
    () => undefined,
  );
  return answer?.stdout.trim();
}

/** A program of a pinned module. */
export interface GoTool {
  /** Its name in messages. */
  name: string;
  /** Holds go.mod and go.sum. */
  moduleFolder: string;
  /** The package to compile. */
  command: string;
  linkerFlags?: string;
}

/** Compile a program. @returns `out`, or why the build failed */
export async function compileGo(
  { name, moduleFolder, command, linkerFlags = '' }: GoTool,
  out: string,
  { env, log }: { env: NodeJS.ProcessEnv; log: Log },
): Promise<string | NotFound> {
  const args = ['build', '-v', '-mod=readonly', '-trimpath', '-ldflags', `-s -w ${linkerFlags}`];
  const go = spawn('go', [...args, '-o', out, command], {
    cwd: moduleFolder,
    // A Go workspace of the user would override the pins; without cgo no C compiler is needed.
    env: { ...env, GOWORK: 'off', CGO_ENABLED: '0' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // The compiler uses every core: let other work go first.
  if (go.pid) setPriority(go.pid, constants.priority.PRIORITY_LOW);
  const lastLines = reportBuild(name, go.stderr, log);
  const [code, signal] = await once(go, 'close');
  return code === 0
    ? out
    : notFound(`go build ended with ${signal ?? code}: ${lastLines().join(' | ')}`);
}

/** Report progress from time to time, by the packages that `go build -v` names. */
function reportBuild(name: string, stderr: NodeJS.ReadableStream, log: Log): () => string[] {
  const startedAt = performance.now();
  const lines: string[] = [];
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    log(`building ${name}: ${seconds} s, ${lines.length} packages so far`);
  }, reportEveryMs);
  createInterface({ input: stderr })
    .on('line', (line) => lines.push(line))
    .on('close', () => clearInterval(timer));
  return () => lines.slice(-5);
}
