// Reads the samples of an epoch from a run's folder, each with how training used it.

import { posix } from 'node:path';
import { decodeJsonl } from '../../artifacts/jsonl.ts';
import { layout } from '../../artifacts/layout.ts';
import { openStore } from '../../artifacts/open-store.ts';
import type { Split } from '../../records/metrics.ts';
import type { Prompt } from '../../records/prompts.ts';
import type { ScoredRollout } from '../../records/rollouts.ts';
import type { DroppedSample, DropReason } from '../../rl/batch.ts';
import type { TrainedAdvantage, TrainSample } from '../../rl/policy/job.ts';
import type { RunFolder } from './run-folder.ts';

/** What the filter decided about a sample. */
interface Fate {
  /** Null if the sample was dropped before it had one, or the run's version did not record it. */
  advantage: number | null;
  /** Null if the sample is not for training, or the filter has not run yet. */
  trained: boolean | null;
  /** Why the sample was dropped; null if it was not, or the run's version did not record it. */
  reason: DropReason | null;
}

/** A scored sample with its prompt's text and the filter's decision. */
export type RolloutRow = ScoredRollout & Fate & { prompt: string };

/** The measured epochs that have samples. */
export async function epochsWithSamples(
  { path, metrics }: RunFolder,
  split: Split,
): Promise<number[]> {
  const store = openStore(path);
  const epochs: number[] = [];
  for (const { epoch } of metrics) {
    const first = layout.scored(epoch, split, 0);
    if ((await store.list(posix.dirname(first))).includes(posix.basename(first)))
      epochs.push(epoch);
  }
  return epochs;
}

/** The samples of one epoch and split, in the order of sampling. */
export async function readRollouts(
  runFolder: string,
  epoch: number,
  split: Split,
): Promise<RolloutRow[]> {
  const read = readerOf(runFolder);
  const prompts = await read<Prompt>(layout.prompts(split === 'train' ? 'train' : 'held-out'));
  const texts = new Map(prompts?.map(({ id, prompt }) => [id, prompt]));
  const fateOf = await readFates(read, epoch, split);
  const rows: RolloutRow[] = [];
  for (let shard = 0; ; shard++) {
    const scored = await read<ScoredRollout>(layout.scored(epoch, split, shard));
    if (scored === null) return rows;
    for (const sample of scored)
      rows.push({ ...sample, ...fateOf(sample), prompt: texts.get(sample.promptId) ?? '' });
  }
}

type Reader = ReturnType<typeof readerOf>;

/** Reads the rows of a file in the folder; null if there is no such file. */
function readerOf(runFolder: string) {
  const store = openStore(runFolder);
  return async <T>(path: string): Promise<T[] | null> => {
    const text = await store.readText(path);
    return text === null ? null : decodeJsonl<T>(text, path);
  };
}

async function readFates(read: Reader, epoch: number, split: Split) {
  const batch = split === 'train' ? await read<TrainSample>(layout.batch(epoch)) : null;
  const dropped = (batch && (await read<DroppedSample>(layout.dropped(epoch)))) ?? [];
  const fates = new Map<string, Fate>();
  for (const sample of dropped) fates.set(keyOf(sample), fate(false, sample));
  for (const sample of batch ?? []) fates.set(keyOf(sample), fate(true, sample));
  const trained = (batch && (await read<TrainedAdvantage>(layout.advantages(epoch)))) ?? [];
  for (const sample of trained) fates.set(keyOf(sample), fate(true, sample));
  const unknown = fate(batch && false);
  return (sample: ScoredRollout): Fate => fates.get(keyOf(sample)) ?? unknown;
}

function fate(trained: Fate['trained'], { advantage = null, reason = null }: Partial<Fate> = {}) {
  return { trained, advantage, reason };
}

function keyOf({ promptId, sample }: Pick<ScoredRollout, 'promptId' | 'sample'>): string {
  return `${promptId} ${sample}`;
}
