// A reward model's training that ends in the middle of a pass and is resumed.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveInput } from '../../config/paths.ts';
import { preferenceTrainingSchema } from '../../config/schema/preference-training.ts';
import type { Progress } from '../../engine/inference/jobs.ts';
import type { PreferenceJob } from './job.ts';
import { trainPreferences } from './train.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-preferences-'));
});
afterAll(() => rm(folder, { recursive: true }));

const place = () => mkdtemp(join(folder, 'job-'));
/** Ten pairs of many lengths. */
const pairs = Array.from({ length: 10 }, (_, i) => ({
  prompt: `// Add ${i} to a number.\n// add(value)\n`,
  chosen: `function add(value) {\n${'  value += 0;\n'.repeat(i % 4)}  return value + ${i};\n}\n`,
  rejected: `function add(value) {\n  return ${'-'.repeat((2 * i) % 7)}value;\n}\n`,
}));
const training = preferenceTrainingSchema.parse({
  epochs: 2,
  learning_rate: 1e-3,
  warmup_steps: 2,
  batch_size: 2,
  microbatch_size: 1,
});

async function pass(changes: Partial<PreferenceJob>): Promise<PreferenceJob> {
  return {
    engine: { device: 'cpu', threads: 2, stall_seconds: 3600 },
    model: resolveInput('models/teacher'),
    pairs,
    promptFormat: { kind: 'plain', bos: false },
    training,
    lora: null,
    seed: 5,
    epoch: 1,
    ...changes,
    out: await place(),
  };
}

/** Train until that many steps are done. @returns the last snapshot */
async function interrupted(changes: Partial<PreferenceJob>, after: number): Promise<string> {
  const job = await pass({ ...changes, snapshots: { folder: await place(), seconds: 0 } });
  let last: string | undefined;
  const stop = ({ done, snapshot }: Progress) => {
    last = snapshot;
    if (done === after) throw new Error('the process ends here');
  };
  await expect(trainPreferences(job, stop)).rejects.toThrow('the process ends here');
  expect(await readdir(job.out)).toEqual([]);
  return last!;
}

/** Every byte of a checkpoint, by file. */
async function bytesOf({ out }: PreferenceJob): Promise<Record<string, string>> {
  const names = (await readdir(out)).sort();
  expect(names).toContain('optimizer.safetensors');
  const files = names.map(async (name) => [name, await readFile(join(out, name), 'base64')]);
  return Object.fromEntries(await Promise.all(files));
}

describe.each([
  ['every weight', null],
  ['adapters and the head', { rank: 2, alpha: 4, targets: ['q_proj' as const] }],
])('training %s', (_, lora) => {
  it('resumes after any step to the same bits, in the first pass and in a later one', async () => {
    let model = resolveInput('models/teacher');
    for (const epoch of [1, 2]) {
      const changes = { lora, model, epoch };
      const whole = await pass(changes);
      const report = await trainPreferences(whole, () => {});
      expect(report.steps.map(({ step }) => step)).toEqual(
        [1, 2, 3, 4, 5].map((step) => 5 * (epoch - 1) + step),
      );
      for (const after of [1, 2, 3, 4]) {
        const resume = await interrupted(changes, after);
        const reported: number[] = [];
        const next = await pass({ ...changes, resume });
        expect(await trainPreferences(next, ({ done }) => reported.push(done))).toEqual(report);
        expect(reported).toEqual([1, 2, 3, 4, 5].slice(after));
        expect(await bytesOf(next)).toEqual(await bytesOf(whole));
      }
      model = whole.out;
    }
  });
});

it('resumes from a snapshot of a resumed training', async () => {
  const whole = await pass({});
  const report = await trainPreferences(whole, () => {});
  const second = await interrupted({ resume: await interrupted({}, 2) }, 4);
  const next = await pass({ resume: second });
  expect(await trainPreferences(next, () => {})).toEqual(report);
  expect(await bytesOf(next)).toEqual(await bytesOf(whole));
});
