// Lists the files that a run's retention settings do not keep: checkpoints and samples of epochs that
// no rule keeps and no kept checkpoint needs. Callers delete them.

import type { RetentionConfig } from '../config/schema/retention.ts';
import type { CheckpointRef } from '../records/refs.ts';
import { readTrainerState } from './checkpoints.ts';
import { epochOf, layout } from './layout.ts';
import type { Store } from './store.ts';

/** A measured epoch, such as a line of metrics.jsonl. */
export interface Measured {
  epoch: number;
  'eval/reward'?: number | null | undefined;
}

/**
 * Paths of the run's folder that may be deleted. Only measured epochs count: files of the current
 * epoch or an interrupted one stay, and so does everything without an epoch's name. A kept
 * checkpoint also keeps everything needed to resume from it: its reference policy, the base of its
 * adapters, and what those need in turn.
 * @throws AnnealError DamagedArtifact if a kept checkpoint cannot be read
 */
export async function expiredPaths(
  store: Store,
  retention: RetentionConfig,
  history: readonly Measured[],
): Promise<string[]> {
  const measured = new Map(history.map((line) => [line.epoch, line]));
  const among = async (folder: string) =>
    (await store.list(folder))
      .flatMap((name) => measured.get(epochOf(name) ?? -1) ?? [])
      .sort((a, b) => a.epoch - b.epoch);
  const checkpoints = await among(layout.checkpoints);
  const kept = keptEpochs(retention, checkpoints);
  const needed =
    kept.length < checkpoints.length && (await withNeeds(store, kept.map(layout.checkpoint)));
  const samples = (await among(layout.samples)).map(({ epoch }) => epoch);
  return [
    ...checkpoints
      .map(({ epoch }) => layout.checkpoint(epoch))
      .filter((path) => needed && !needed.has(path)),
    ...samples.slice(0, -(retention.keep_samples ?? samples.length)).map(layout.samplesOf),
  ];
}

/** The measured epochs, oldest first, that any rule keeps. The latest is always kept. */
export function keptEpochs(
  { keep_last, keep_best, keep_every }: RetentionConfig,
  measured: readonly Measured[],
): number[] {
  const epochs = measured.map(({ epoch }) => epoch);
  if (keep_last === null && keep_best === null && keep_every === null) return epochs;
  // The later one of equals.
  const best = measured.toReversed().toSorted((a, b) => rewardOf(b) - rewardOf(a));
  const kept = new Set([
    ...epochs.slice(-(keep_last ?? 1)),
    ...best.slice(0, keep_best ?? 0).map(({ epoch }) => epoch),
    ...epochs.filter((epoch) => keep_every !== null && epoch % keep_every === 0),
  ]);
  return epochs.filter((epoch) => kept.has(epoch));
}

const rewardOf = (line: Measured) => line['eval/reward'] ?? -Infinity;

/** The paths and those of all checkpoints that they need. */
async function withNeeds(store: Store, paths: readonly string[]): Promise<Set<string>> {
  const there = new Set((await store.list(layout.checkpoints)).map(pathOf));
  const needed = new Set<string>();
  const waiting = [...paths];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (needed.has(path) || !there.has(path)) continue;
    needed.add(path);
    // The models that a run started from need no others.
    if (epochOf(path.slice(pathOf('').length)) === null) continue;
    const { reference, base } = await readTrainerState(store, path);
    for (const ref of [reference, base]) waiting.push(...pathsIn(ref));
  }
  return needed;
}

const pathOf = (name: string) => `${layout.checkpoints}/${name}`;

function pathsIn(ref: CheckpointRef | undefined): string[] {
  return ref ? [ref.path, ...pathsIn(ref.base)] : [];
}
