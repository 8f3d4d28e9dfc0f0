import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rlaifSchema } from '../config/schema/rlaif.ts';
import { trainingSchema } from '../config/schema/training.ts';
import { AnnealError } from '../errors.ts';
import type { CheckpointRef } from '../records/refs.ts';
import {
  commitCheckpoint,
  copyModel,
  openCheckpoint,
  readForeignCheckpoint,
  trainingFiles,
  writeTrainerState,
} from './checkpoints.ts';
import { createLocalStore } from './local/store.ts';
import type { Store } from './store.ts';

let root: string;
let store: Store;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'anneal-checkpoints-'));
  store = createLocalStore(root);
});
afterEach(() => rm(root, { recursive: true }));

const place = { path: 'checkpoints/epoch-08', epoch: 8, step: 12 };

async function commit(weights = 'weights'): Promise<CheckpointRef> {
  const scratch = await store.scratch(place.path);
  await writeFile(join(scratch, 'model.safetensors'), weights);
  await writeFile(join(scratch, 'config.json'), '{}');
  return commitCheckpoint(store, scratch, place);
}

describe('commitCheckpoint', () => {
  it('makes a folder whose manifest lists every file, and refers to the manifest', async () => {
    const ref = await commit();
    expect(ref).toMatchObject(place);
    const folder = await openCheckpoint(store, ref);
    const manifest = JSON.parse(await readFile(join(folder, 'checkpoint.json'), 'utf8'));
    expect(manifest).toMatchObject({ format: 1, epoch: 8, step: 12 });
    expect(manifest.files.map((file: { name: string }) => file.name)).toEqual([
      'config.json',
      'model.safetensors',
    ]);
  });

  it('keeps the existing folder when the same is committed again', async () => {
    const first = await commit();
    const { ino } = await stat(join(root, place.path));
    expect(await commit()).toEqual(first);
    expect((await stat(join(root, place.path))).ino).toBe(ino);
    expect(await readdir(join(root, 'checkpoints'))).toEqual(['epoch-08']);
  });

  it('replaces another checkpoint or a damaged one', async () => {
    const first = await commit('weights A');
    const second = await commit('weights B');
    expect(second.sha256).not.toBe(first.sha256);
    await writeFile(join(join(root, place.path), 'model.safetensors'), 'weights X');
    expect(await commit('weights B')).toEqual(second);
    await expect(openCheckpoint(store, second)).resolves.toBe(join(root, place.path));
  });
});

describe('openCheckpoint', () => {
  it.each([
    ['a changed file', 'model.safetensors', (path: string) => writeFile(path, 'weighty')],
    ['a lost file', 'config.json', (path: string) => rm(path)],
    ['a changed manifest', 'checkpoint.json', (path: string) => writeFile(path, '{}')],
    ['a lost manifest', 'checkpoint.json', (path: string) => rm(path)],
  ])('rejects %s by name, even if it was intact when last read', async (_, name, damage) => {
    const ref = await commit();
    await openCheckpoint(store, ref);
    await damage(join(join(root, place.path), name));
    await expect(openCheckpoint(store, ref)).rejects.toMatchObject({
      kind: 'DamagedArtifact',
      message: expect.stringContaining(`checkpoints/epoch-08/${name}`),
    });
  });
});

describe('copyModel', () => {
  it('copies files and follows links; leaves out folders, hidden files and given names', async () => {
    const from = join(root, 'from');
    const to = join(root, 'to');
    await mkdir(join(from, 'onnx'), { recursive: true });
    await mkdir(to);
    for (const name of ['blob', '.hidden', 'optimizer.safetensors', 'trainer_state.json'])
      await writeFile(join(from, name), name);
    await symlink(join(from, 'blob'), join(from, 'model.safetensors'));
    await copyModel(from, to, { without: trainingFiles });
    expect(await readdir(to)).toEqual(['blob', 'model.safetensors']);
    expect(await readFile(join(to, 'model.safetensors'), 'utf8')).toBe('blob');
  });
});

describe('readForeignCheckpoint', () => {
  it.each(['checkpoint.json', 'trainer_state.json'])(
    'accepts nothing wrong from a %s with a flipped bit',
    async (name) => {
      const { ref, state } = await foreign();
      const file = join(root, 'checkpoints/epoch-08', name);
      const whole = await readFile(file);
      let refused = 0;
      for (let at = 0; at < whole.length; at++) {
        const flipped = Buffer.from(whole);
        flipped[at]! ^= 1;
        await writeFile(file, flipped);
        try {
          const found = await readForeignCheckpoint(join(root, 'checkpoints/epoch-08'));
          await openCheckpoint(store, found.ref);
          expect({ ...found.ref, sha256: '' }).toEqual({ ...ref, sha256: '' });
          expect(found.state).toEqual(state);
        } catch (error) {
          expect(error).toBeInstanceOf(AnnealError);
          refused++;
        }
      }
      // Undetected flips change only sizes, which nothing depends on.
      expect(refused).toBeGreaterThan(0.95 * whole.length);
    },
  );

  it.skipIf(process.platform === 'win32').each(['checkpoint.json', 'trainer_state.json'])(
    'does not wait for a pipe in the place of %s',
    async (name) => {
      await foreign();
      const folder = join(root, 'checkpoints/epoch-08');
      await rm(join(folder, name));
      execFileSync('mkfifo', [join(folder, name)]);
      const opened = readForeignCheckpoint(folder).then(({ ref }) => openCheckpoint(store, ref));
      await expect(opened).rejects.toBeInstanceOf(AnnealError);
    },
  );

  /** A checkpoint of another run. */
  async function foreign() {
    const scratch = await store.scratch(place.path);
    const settings = { rlaif: rlaifSchema.parse({}), training: trainingSchema.parse({}) };
    const reference = { path: 'checkpoints/start', sha256: 'ab', epoch: 7, step: 0 };
    const state = { epoch: 8, step: 12, reference, settings, stats: { loss: 0.5 } };
    await writeTrainerState(scratch, state);
    return { ref: await commitCheckpoint(store, scratch, place), state };
  }

  it('finds the reference in that run and the state of training', async () => {
    const made = await foreign();
    expect(await readForeignCheckpoint(join(root, place.path))).toMatchObject(made);
  });

  it('says which folder to name if this one is not a checkpoint', async () => {
    await expect(readForeignCheckpoint(root)).rejects.toMatchObject({
      kind: 'InvalidModel',
      message: expect.stringContaining(`found '${root}'`),
    });
  });
});
