// Commands whose reader has left, by real pipes: they end quietly, as other programs do by SIGPIPE.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../config/paths.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'anneal-pipe-'));
  mkdirSync(join(folder, 'run'));
  const epoch = { epoch: 1, reward: 0.25, best_of_n_reward: 0.5, loss: 0.2, reward_variance: 0.07 };
  writeFileSync(join(folder, 'run/metrics.jsonl'), `${JSON.stringify(epoch)}\n`);
});
afterAll(() => rmSync(folder, { recursive: true }));

const anneal = `"${process.execPath}" "${join(packageRoot, 'src/cli/main.ts')}"`;

/** Run a script in bash. @returns what it says, and writes to descriptor 3 */
function bash(script: string) {
  const env = { ...process.env, ANNEAL_RUNS_DIR: folder, TEMPORAL_ADDRESS: '', ANNEAL_DEBUG: '' };
  const { output } = spawnSync('bash', ['-c', script], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const [, stdout, stderr, code] = output;
  return { stdout, stderr, code: code?.trim() };
}

const config = `config "${join(packageRoot, 'config/two-phase.yaml')}"`;
const shown = ['--help', 'run --help', config, 'report run', 'report run --json', 'status run'];
const failing = ['status none', 'rnu', 'run none.yaml'];

// A command starts when its reader has left: how much a pipe holds does not matter.
describe.skipIf(process.platform === 'win32')('without a reader', () => {
  test.each(shown)('of stdout: anneal %s', (args) => {
    const { stderr, code } = bash(`{ sleep 0.3; ${anneal} ${args}; echo $? >&3; } | true`);
    expect({ stderr, code }).toEqual({ stderr: '', code: '141' });
  });

  test.each(failing)('of stderr: anneal %s', (args) => {
    const command = `${anneal} ${args} 2>&1 >&4`;
    const { stdout, code } = bash(`{ { sleep 0.3; ${command}; echo $? >&3; } | true; } 4>&1`);
    expect({ stdout, code }).toEqual({ stdout: '', code: '141' });
  });

  test('head shows the first line, and no error', () => {
    const { stdout, stderr } = bash(`${anneal} ${config} | head -1`);
    expect({ stdout, stderr }).toEqual({ stdout: '{\n', stderr: '' });
  });

  test.runIf(process.platform === 'linux')('a full disk is still an error', () => {
    const { stderr, code } = bash(`${anneal} ${config} > /dev/full; echo $? >&3`);
    expect(stderr).toMatch(/^error: stdout: ENOSPC/);
    expect(code).toBe('1');
  });
});
