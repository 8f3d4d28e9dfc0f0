// The examples work: epoch.ts trains for real, and the prompts of the run files pass their own tests.
// src/config/load.test.ts loads every run file; test/package runs examples/own-worker.

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/config/paths.ts';
import { checkPrompts } from '../../src/rewards/check-prompts.ts';

test('epoch.ts samples, scores, trains and evaluates', { timeout: 300_000 }, async () => {
  // The example writes its policies to the system's folder for temporary files.
  const TMPDIR = await mkdtemp(join(tmpdir(), 'anneal-example-'));
  const args = [join(packageRoot, 'examples/epoch.ts'), '2', '4'];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, TMPDIR },
  });
  const [start, ...epochs] = stdout.trimEnd().split('\n');
  expect(start).toMatch(/^start: held-out reward 0\.\d{3}$/);
  for (const [i, epoch] of epochs.entries())
    expect(epoch).toMatch(
      new RegExp(`^epoch ${i + 1}: reward 0.*, trained on [1-9].*, KL -?0.*, held-out reward 0`),
    );
  expect(epochs).toHaveLength(2);
  await rm(TMPDIR, { recursive: true });
});

test("the Python prompts' reference solutions pass their tests", async () => {
  const { count, broken } = await checkPrompts(join(packageRoot, 'examples/python-prompts.jsonl'));
  expect(broken).toEqual([]);
  expect(count).toBe(4);
});
