// `anneal … | head -1` ends quietly, and takes the server and the worker that it started with it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { packageRoot } from '../../src/config/paths.ts';
import { isRunning, readRecord } from '../../src/workers/server/server-record.ts';
import { tinyRun } from './durable-run.ts';

let runsDir: string;
beforeEach(async () => {
  runsDir = await mkdtemp(join(tmpdir(), 'anneal-head-'));
});
afterEach(() => rm(runsDir, { recursive: true }));

/** Run `anneal ARGS` with its output cut by `head -1`, in a process group of its own. */
async function headOf(args: string, redirect = '') {
  const anneal = `"${process.execPath}" "${join(packageRoot, 'src/cli/main.ts')}" ${args}`;
  const script = `${anneal} --runs-dir "${runsDir}" ${redirect} | head -1; echo "\${PIPESTATUS[0]}" >&2`;
  const env = { ...process.env, TEMPORAL_ADDRESS: '' };
  const stdio = ['ignore', 'pipe', 'pipe'] as const;
  const shell = spawn('bash', ['-c', script], { detached: true, env, stdio: [...stdio] });
  const [stdout, stderr] = await Promise.all([
    text(shell.stdout),
    text(shell.stderr),
    once(shell, 'exit'),
  ]);
  return { lines: stdout.split('\n').length - 1, stderr, group: shell.pid! };
}

/**
 * Nothing is left: not the worker and its children, nor the server, which has its own group. A child
 * of a process that has ended stays listed until the system's first process collects it.
 */
async function expectNothingOf(group: number): Promise<void> {
  await vi.waitFor(() => expect(() => process.kill(-group, 0)).toThrow('ESRCH'), 30_000);
  const dataDir = join(runsDir, '.anneal');
  expect(isRunning(dataDir, readRecord(dataDir))).toBe(false);
}

describe.skipIf(process.platform === 'win32')('a command whose reader leaves', () => {
  it('dev ends its server and its worker', async () => {
    const { lines, stderr, group } = await headOf('dev');
    expect({ lines, stderr }).toEqual({ lines: 1, stderr: '141\n' });
    await expectNothingOf(group);
    expect(await readFile(join(runsDir, '.anneal/server.log'), 'utf8')).not.toContain('panic');
  });

  it.each(['', '2>&1'])('run ends them too %s', async (redirect) => {
    const file = join(runsDir, 'run.json');
    await writeFile(file, JSON.stringify({ ...tinyRun, name: 'cut' }));
    const { lines, stderr, group } = await headOf(`run "${file}"`, redirect);
    expect({ lines, stderr }).toEqual({ lines: 1, stderr: '141\n' });
    await expectNothingOf(group);
  });
});
