import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { retentionSchema } from '../config/schema/retention.ts';
import { rlaifSchema } from '../config/schema/rlaif.ts';
import { trainingSchema } from '../config/schema/training.ts';
import type { CheckpointRef } from '../records/refs.ts';
import { commitCheckpoint, writeTrainerState } from './checkpoints.ts';
import { layout } from './layout.ts';
import { createLocalStore } from './local/store.ts';
import { expiredPaths, keptEpochs } from './retention.ts';
import type { Store } from './store.ts';

const rules = (given: object) => retentionSchema.parse(given);
const rewards = [0.1, 0.4, 0.2, 0.4, 0.3, null];
/** Epochs 1 to 6. */
const measured = rewards.map((reward, i) => ({ epoch: i + 1, 'eval/reward': reward }));

describe('keptEpochs', () => {
  it.each<[object, number[]]>([
    [{}, [1, 2, 3, 4, 5, 6]],
    [{ keep_samples: 1 }, [1, 2, 3, 4, 5, 6]],
    [{ keep_last: 2 }, [5, 6]],
    [{ keep_last: 9 }, [1, 2, 3, 4, 5, 6]],
    [{ keep_best: 1 }, [4, 6]],
    [{ keep_best: 3 }, [2, 4, 5, 6]],
    [{ keep_every: 3 }, [3, 6]],
    [{ keep_every: 5 }, [5, 6]],
    [{ keep_last: 2, keep_best: 1, keep_every: 2 }, [2, 4, 5, 6]],
  ])('%j', (given, epochs) => {
    expect(keptEpochs(rules(given), measured)).toEqual(epochs);
  });
});

describe('expiredPaths', () => {
  let root: string;
  let store: Store;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'anneal-retention-'));
    store = createLocalStore(root);
  });
  afterEach(() => rm(root, { recursive: true }));

  const settings = { rlaif: rlaifSchema.parse({}), training: trainingSchema.parse({}) };

  async function commit(path: string, epoch: number, needs?: Record<string, CheckpointRef>) {
    const scratch = await store.scratch(path);
    await writeFile(join(scratch, 'model.safetensors'), path);
    const state = { epoch, step: epoch, settings, stats: null };
    if (needs)
      await writeTrainerState(scratch, { ...state, reference: needs.reference!, ...needs });
    return commitCheckpoint(store, scratch, { path, epoch, step: epoch });
  }

  /** Checkpoints and samples of six epochs; from the fourth on, the second is the reference. */
  async function fill(): Promise<void> {
    const start = await commit(layout.startCheckpoint, 0);
    let reference = start;
    for (const { epoch } of measured) {
      const ref = await commit(layout.checkpoint(epoch), epoch, { reference });
      if (epoch === 2) reference = ref;
      await store.write(layout.rollouts(epoch, 'train', 0), 'x');
    }
  }

  const epochs = (...numbers: number[]) => numbers.map(layout.checkpoint);

  it('lists checkpoints that no rule keeps, except the reference of a kept one', async () => {
    await fill();
    expect(await expiredPaths(store, rules({ keep_last: 1 }), measured)).toEqual(
      epochs(1, 3, 4, 5),
    );
    expect(await expiredPaths(store, rules({ keep_best: 1, keep_every: 3 }), measured)).toEqual(
      epochs(1, 5),
    );
    expect(await expiredPaths(store, rules({}), measured)).toEqual([]);
  });

  it('leaves out epochs that were not measured, and files without an epoch name', async () => {
    await fill();
    await commit('checkpoints/mine', 1);
    await commit('checkpoints/epoch-1', 1);
    const upTo4 = measured.slice(0, 4);
    expect(await expiredPaths(store, rules({ keep_last: 1 }), upTo4)).toEqual(epochs(1, 3));
    expect(await expiredPaths(store, rules({ keep_last: 1 }), [])).toEqual([]);
  });

  it('keeps the base of adapters', async () => {
    const start = await commit(layout.startCheckpoint, 0);
    const first = await commit(layout.checkpoint(1), 1, { reference: start });
    const base = { reference: start, base: first };
    await commit(layout.checkpoint(2), 2, base);
    await commit(layout.checkpoint(3), 3, { reference: { ...start, base: first } });
    const three = measured.slice(0, 3);
    expect(await expiredPaths(store, rules({ keep_last: 1 }), three)).toEqual(epochs(2));
    expect(await expiredPaths(store, rules({ keep_last: 1 }), three.slice(0, 2))).toEqual([]);
  });

  it('lists the samples of all but the latest epochs', async () => {
    await fill();
    const path = layout.rollouts(100, 'held-out', 0);
    await store.write(path, 'x');
    const all = [...measured, { epoch: 100 }];
    expect(await expiredPaths(store, rules({ keep_samples: 2 }), all)).toEqual(
      [1, 2, 3, 4, 5].map(layout.samplesOf),
    );
  });

  it.each(['checkpoint.json', 'trainer_state.json'])(
    'fails if the %s of a kept checkpoint is damaged',
    async (name) => {
      await fill();
      const path = `${layout.checkpoint(6)}/${name}`;
      const text = await store.readText(path);
      await store.write(path, text!.replace('"epoch": 2', '"epoch": 1').replace('"step": 6', ''));
      await expect(expiredPaths(store, rules({ keep_last: 1 }), measured)).rejects.toMatchObject({
        kind: 'DamagedArtifact',
        message: expect.stringContaining('checkpoints/epoch-06'),
      });
    },
  );
});
