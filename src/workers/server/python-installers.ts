// The package installers of Python on the PATH, pip and uv, as commands to run.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type NotFound, notFound } from './found-server.ts';

/** The start of an installer's command line, such as `python3 -m pip`. */
export type Installer = 'pip' | 'pip3' | 'python3 -m pip' | 'uv';

const versionTimeoutMs = 20_000;
const pips: readonly Installer[] = ['pip', 'pip3', 'python3 -m pip'];

/** The first pip that runs; undefined if none does. */
export async function findPip(env: NodeJS.ProcessEnv): Promise<Installer | undefined> {
  for (const pip of pips) if (await runs(pip, env)) return pip;
  return undefined;
}

export async function findUv(env: NodeJS.ProcessEnv): Promise<Installer | undefined> {
  return (await runs('uv', env)) ? 'uv' : undefined;
}

/** A command may exist but not run, for example if its Python was removed. */
async function runs(installer: Installer, env: NodeJS.ProcessEnv): Promise<boolean> {
  const [command, ...first] = installer.split(' ');
  const options = { env, timeout: versionTimeoutMs, windowsHide: true };
  return promisify(execFile)(command!, [...first, '--version'], options).then(
    () => true,
    () => false,
  );
}

interface RunOptions {
  env: NodeJS.ProcessEnv;
  /** Its working directory, and where it keeps temporary files; created if missing. */
  folder: string;
  /** Kills it. */
  signal: AbortSignal;
}

/** Run an installer to its end. @returns why it failed */
export async function runInstaller(
  installer: Installer,
  args: readonly string[],
  { env, folder, signal }: RunOptions,
): Promise<NotFound | undefined> {
  await mkdir(folder, { recursive: true });
  const [command, ...first] = installer.split(' ');
  const child = spawn(command!, [...first, ...args], {
    cwd: folder,
    // Nothing is installed into an environment, so pip need not insist on one.
    env: { ...env, TMPDIR: folder, TMP: folder, TEMP: folder, PIP_REQUIRE_VIRTUALENV: 'false' },
    stdio: ['ignore', 'ignore', 'pipe'],
    windowsHide: true,
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    const [code, killedBy] = await once(child, 'exit');
    if (code === 0) return undefined;
    if (signal.aborted) return notFound((signal.reason as Error).message);
    return notFound(`it ended with ${killedBy ?? code}: ${summary(output)}`);
  } catch (error) {
    return notFound((error as Error).message);
  } finally {
    process.off('exit', end);
    signal.removeEventListener('abort', end);
  }
}

/** The errors of an installer's output, or its end. */
function summary(output: string): string {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  const errors = lines.filter((line) => /^error/i.test(line));
  return (errors.length > 0 ? errors : lines.slice(-4)).join(' ').slice(0, 400) || 'no output';
}
