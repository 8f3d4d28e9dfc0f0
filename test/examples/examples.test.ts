// The examples work: epoch.ts trains for real, and the prompts of the run files pass their own tests.
// src/config/load.test.ts loads every run file; test/package runs examples/own-worker.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/config/paths.ts';
import { checkPrompts } from '../../src/rewards/check-prompts.ts';

test('epoch.ts samples, scores, trains and evaluates', { timeout: 300_000 }, async () => {
  const args = [join(packageRoot, 'examples/epoch.ts'), '2', '4'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const [start, first, second] = stdout.split('\n');
  expect(start).toMatch(/^start: held-out reward 0\.\d{3}$/);
  expect(first).toMatch(/^epoch 1: reward 0\.\d{3}, trained on \d+, KL 0\.0000/);
  expect(second).toMatch(/^epoch 2: .* KL 0\.\d{4}, held-out reward 0\.\d{3}/);
});

test("the Python prompts' reference solutions pass their tests", async () => {
  const { count, broken } = await checkPrompts(join(packageRoot, 'examples/python-prompts.jsonl'));
  expect(broken).toEqual([]);
  expect(count).toBe(4);
});
