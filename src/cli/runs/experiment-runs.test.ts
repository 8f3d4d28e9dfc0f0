import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeJsonl } from '../../artifacts/jsonl.ts';
import { layout } from '../../artifacts/layout.ts';
import { resolveConfig } from '../../config/load.ts';
import { isFinished, latestFolder, nextAttempt } from './experiment-runs.ts';

const config = resolveConfig({
  name: 'x-a-s0',
  model: { path: 'm' },
  prompts: { train: 't', held_out: 'h' },
  phases: [{ name: 'one', epochs: [1, 3] }],
});
const run = { id: 'x-a-s0', variant: 'a', seed: 0, config };

let runsDir: string;
beforeEach(async () => {
  runsDir = await mkdtemp(join(tmpdir(), 'anneal-experiment-'));
});
afterEach(() => rm(runsDir, { recursive: true }));

/** A run that started with `file` and was interrupted or ended after `epochs`. */
async function leave(name: string, epochs: number, file: object = config): Promise<void> {
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(runsDir, name, path)), { recursive: true });
    await writeFile(join(runsDir, name, path), text);
  };
  await write(layout.config, JSON.stringify({ ...file, name }));
  const lines = Array.from({ length: epochs + 1 }, (_, epoch) => ({ epoch }));
  await write(layout.metrics, encodeJsonl(lines));
  // The epoch after the last measured one was also trained.
  for (let epoch = 1; epoch <= epochs + 1; epoch++)
    await write(join(layout.checkpoint(epoch), 'checkpoint.json'), '{}');
}

describe('nextAttempt', () => {
  const checkpoint = (name: string, epoch: number) => join(runsDir, name, layout.checkpoint(epoch));

  it('is the run itself if it never started', async () => {
    expect(await nextAttempt(run, runsDir)).toEqual({ id: run.id, file: config });
  });

  it('resumes from the last measured checkpoint, under the next free name', async () => {
    await leave('x-a-s0', 1);
    const second = await nextAttempt(run, runsDir);
    const resume_from = checkpoint('x-a-s0', 1);
    expect(second).toEqual({ id: 'x-a-s0-2', file: { ...config, name: 'x-a-s0-2', resume_from } });
    await leave('x-a-s0-2', 2, second.file as object);
    expect(await nextAttempt(run, runsDir)).toMatchObject({
      id: 'x-a-s0-3',
      file: { resume_from: checkpoint('x-a-s0-2', 2) },
    });
  });

  it.each<[string, number, object]>([
    ['had no epoch', 0, config],
    ['had other settings', 1, { ...config, seed: 1 }],
  ])('starts from scratch if the interrupted run %s', async (_, epochs, file) => {
    await leave('x-a-s0', epochs, file);
    expect(await nextAttempt(run, runsDir)).toMatchObject({
      id: 'x-a-s0-2',
      file: { resume_from: null },
    });
  });
});

it('a run is finished if its latest attempt has measured the last epoch', async () => {
  expect(await isFinished(run, runsDir)).toBe(false);
  await leave('x-a-s0', 2);
  expect(await isFinished(run, runsDir)).toBe(false);
  await leave('x-a-s0-2', 3);
  expect(await isFinished(run, runsDir)).toBe(true);
  expect(await latestFolder(run, runsDir)).toBe(join(runsDir, 'x-a-s0-2'));
});
