import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Progress } from '../inference/jobs.ts';
import { uniforms } from '../sampling/random.ts';
import { runSteps } from './run-steps.ts';
import { readProgress } from './snapshot.ts';

interface Step {
  batch: number[];
  rate: number;
}

const rows = [0, 10, 20, 30, 40, 50, 60];
const schedule = {
  learning_rate: 1,
  warmup_steps: 4,
  schedule: 'constant',
  decay_steps: null,
  min_learning_rate: 0,
} as const;

let folder: string;
let reported: Progress[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-steps-'));
  reported = [];
});
afterEach(() => rm(folder, { recursive: true }));

async function pass(done: readonly Step[], seed = 7): Promise<Step[]> {
  const trainer = { step: done.length, saveSnapshot: (file: string) => writeFile(file, '') };
  return runSteps(trainer, {
    rows,
    batchSize: 2,
    shuffle: uniforms(seed),
    schedule,
    done,
    snapshots: { folder: await mkdtemp(join(folder, 'snapshots-')), seconds: 0 },
    async takeStep(batch, rate) {
      trainer.step++;
      return { batch, rate };
    },
    lossOf: ({ rate }) => rate,
    progressOf: (steps) => steps,
    onProgress: (progress) => reported.push(progress),
  });
}

it("takes every row once, in an order that the seed decides, at the schedule's rate", async () => {
  const steps = await pass([]);
  expect(steps.map(({ batch }) => batch.length)).toEqual([2, 2, 2, 1]);
  expect(steps.flatMap(({ batch }) => batch).sort((a, b) => a - b)).toEqual(rows);
  expect(steps.map(({ rate }) => rate)).toEqual([0.25, 0.5, 0.75, 1]);
  expect(await pass([])).toEqual(steps);
  expect(await pass([], 8)).not.toEqual(steps);
});

it('resumes after any step from its snapshot, which is taken after all but the last', async () => {
  const steps = await pass([]);
  expect(reported.map(({ done, total, note }) => `${done}/${total} ${note}`)).toEqual([
    '1/4 loss 0.2500',
    '2/4 loss 0.5000',
    '3/4 loss 0.7500',
    '4/4 loss 1.0000',
  ]);
  const snapshots = reported.map(({ snapshot }) => snapshot);
  expect(snapshots.map((snapshot) => snapshot !== undefined)).toEqual([true, true, true, false]);
  for (const snapshot of snapshots.slice(0, 3))
    expect(await pass(await readProgress<Step[]>(snapshot!))).toEqual(steps);
});
