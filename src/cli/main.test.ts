// The command as a process: its streams and exit code. None of these commands starts a server.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadRunFile } from '../config/load.ts';
import { packageRoot } from '../config/paths.ts';

const folder = mkdtempSync(join(tmpdir(), 'anneal-cli-'));
const runFile = join(packageRoot, 'config/two-phase.yaml');

function anneal(...args: string[]) {
  const env = { ...process.env, ANNEAL_RUNS_DIR: '', TEMPORAL_ADDRESS: '', ANNEAL_DEBUG: '' };
  const main = join(packageRoot, 'src/cli/main.ts');
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, ...args], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  return { stdout, stderr, status };
}

function file(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return name;
}

test('config prints the resolved configuration and nothing else', async () => {
  const { stdout, stderr, status } = anneal('config', runFile, '--seed', '7', '--name', 'mine');
  const expected = await loadRunFile(runFile, { overrides: { seed: 7, name: 'mine' } });
  expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(expected)));
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
});

test('--set can be repeated', () => {
  const flags = ['--set', 'rlaif.clip_low=0.1', '--set', 'training.weight_decay=0.01'];
  const config = JSON.parse(anneal('config', runFile, ...flags).stdout);
  expect(config.rlaif.clip_low).toBe(0.1);
  expect(config.training.weight_decay).toBe(0.01);
});

const twoEpochs = [
  { epoch: 6, reward: 0.2537, best_of_n_reward: 0.5229, loss: 0.1735, reward_variance: 0.0765 },
  { epoch: 7, reward: 0.2401, best_of_n_reward: 0.5276, loss: 0.1605, reward_variance: 0.0704 },
];

test('report works on a folder with only a metrics.jsonl', () => {
  file('metrics.jsonl', twoEpochs.map((line) => JSON.stringify(line)).join('\n'));
  const page = anneal('report', '.');
  expect(page.status).toBe(0);
  expect(page.stdout).toContain('-0.0136 (-5.4%)');
  const facts = JSON.parse(anneal('report', folder, '--json').stdout);
  expect(facts.recommendations[0].title).toMatch(/reward/i);
  expect(anneal('report', '.', '--all').stdout).toContain('# Training Report');
  expect(anneal('report', '.', '--epoch', '6').stdout).toContain('Epoch 6');
});

test('report names the epochs that exist', () => {
  file('metrics.jsonl', twoEpochs.map((line) => JSON.stringify(line)).join('\n'));
  const { stdout, stderr, status } = anneal('report', '.', '--epoch', '99');
  expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
  expect(stderr).toMatch(
    /^error: expected an epoch with metrics, found 99. Epochs with metrics: 6, 7/,
  );
});

test.each([
  ['unknown command', ['rnu'], /unknown command 'rnu'/],
  ['unknown flag', ['run', runFile, '--sed', '1'], /unknown option '--sed'/],
  ['missing file', ['run', 'none.yaml'], /expected 'none\.yaml' to exist/],
  ['seed that is no number', ['run', runFile, '--seed', 'x'], /Expected a whole number/],
  ['unknown key', ['run', runFile, '--set', 'rlaif.kl_penality=1'], /did you mean 'kl_penalty'/],
  ['KL below 0', ['run', runFile, '--set', 'rlaif.kl_penalty=-1'], /at least 0, found -1/],
  ['overlapping phases', ['run', runFile, '--set', 'phases.refinement.epochs=[9,15]'], /overlaps/],
  ['missing model', ['run', runFile, '--set', 'model.path=none'], /model\.path: expected 'none'/],
  ['too few prompts', ['run', runFile, '--set', 'rlaif.prompts_per_epoch=9999'], /at most \d+/],
  ['no such run', ['status', 'none'], /found none named 'none'/],
  ['no such folder', ['report', 'none'], /found no metrics\.jsonl/],
] as const)('%s: an error on stderr, exit code 2, nothing started', (_name, args, message) => {
  const { stdout, stderr, status } = anneal(...args);
  expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\n {4}at /);
});

test('an error in a prompt file names the line', () => {
  const [first] = readFileSync(join(packageRoot, 'data/train.jsonl'), 'utf8').split('\n');
  const prompts = file('broken.jsonl', `${first}\n{"id":`);
  const { stderr, status } = anneal('run', runFile, '--set', `prompts.train=${prompts}`);
  expect(stderr).toMatch(/broken\.jsonl, line 2: /);
  expect(status).toBe(2);
});

test('a truncated safetensors file is named', () => {
  cpSync(join(packageRoot, 'models/policy'), join(folder, 'cut'), { recursive: true });
  truncateSync(join(folder, 'cut/model.safetensors'), 100_000);
  const { stderr, status } = anneal('run', runFile, '--set', 'model.path=cut');
  expect(stderr).toMatch(/cut\/model\.safetensors: damaged or truncated/);
  expect(status).toBe(2);
});

test('commands for a live run need a running server', () => {
  const { stderr, status } = anneal('pause', 'run');
  expect(stderr).toMatch(/expected a Temporal server .* none is running/);
  expect(status).toBe(1);
  expect(JSON.parse(anneal('server', '--json').stdout)).toMatchObject({ running: false });
});
