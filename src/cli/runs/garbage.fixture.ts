// Run folders for tests, and a way to make their files old.

import { lutimes, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { joinAddress } from '../../artifacts/address.ts';
import { commitCheckpoint, writeTrainerState } from '../../artifacts/checkpoints.ts';
import { writeDocument } from '../../artifacts/documents.ts';
import { encodeJsonl } from '../../artifacts/jsonl.ts';
import { layout } from '../../artifacts/layout.ts';
import { openSharedFiles, openStore } from '../../artifacts/open-store.ts';
import { resolveConfig } from '../../config/load.ts';
import type { Judged } from '../../records/rollouts.ts';

/** Write the folder of a run of epochs 1 to 3; a sample of the last epoch has `judged`. */
export async function fillRun(
  runsDir: string,
  name: string,
  { judged, ...changes }: { judged?: Judged } & Record<string, unknown> = {},
): Promise<void> {
  const store = openStore(joinAddress(runsDir, name));
  const config = resolveConfig({
    name,
    model: { path: 'm' },
    prompts: { train: 't', held_out: 'h' },
    phases: [{ name: 'one', epochs: [1, 3] }],
    ...changes,
  });
  await store.write(layout.manifest, JSON.stringify({ run: name, execution: 'x' }));
  await writeDocument(store, layout.config, JSON.stringify(config));
  const lines = [1, 2, 3].map((epoch) => ({ epoch, 'eval/reward': epoch / 10 }));
  await writeDocument(store, layout.metrics, encodeJsonl(lines));
  await store.append(layout.timings, '{}');
  const reference = { path: layout.startCheckpoint, sha256: '', epoch: 0, step: 0 };
  const { rlaif, training } = config;
  for (const epoch of [1, 2, 3]) {
    const path = layout.checkpoint(epoch);
    const scratch = await store.scratch(path);
    await writeFile(join(scratch, 'model.safetensors'), '12345');
    const state = { epoch, step: epoch, settings: { rlaif, training }, stats: null };
    await writeTrainerState(scratch, { ...state, reference });
    await commitCheckpoint(store, scratch, { path, epoch, step: epoch });
    const rewards = { judge: { value: 1, criteria: {}, ...(epoch === 3 && judged && { judged }) } };
    await store.write(layout.scored(epoch, 'train', 0), encodeJsonl([{ rewards }]));
  }
}

/** Write a file and its folders. */
export async function put(runsDir: string, path: string, text = 'x'): Promise<void> {
  await openSharedFiles(runsDir).write(path, text);
}

/** Set the times of a folder and everything in it back by `hours`. */
export async function makeOld(folder: string, hours: number): Promise<void> {
  const time = new Date(Date.now() - hours * 3_600_000);
  for (const name of ['', ...(await readdir(folder, { recursive: true }))])
    await lutimes(join(folder, name), time, time);
}
