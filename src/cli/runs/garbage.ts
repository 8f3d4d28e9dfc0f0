// Finds what is no longer needed in a folder of runs: leftovers of crashed attempts, what a run's
// retention does not keep, and judge verdicts that no sample refers to. The caller knows which runs
// are live.

import { parseMetricsJsonl } from '../../analysis/metrics/history.ts';
import { joinAddress } from '../../artifacts/address.ts';
import { readVerified } from '../../artifacts/documents.ts';
import type { Entry } from '../../artifacts/inventory.ts';
import { decodeJsonl } from '../../artifacts/jsonl.ts';
import { layout, sharedPath } from '../../artifacts/layout.ts';
import { openInventory, openStore } from '../../artifacts/open-store.ts';
import { expiredPaths } from '../../artifacts/retention.ts';
import { requestsAtOnce } from '../../artifacts/store.ts';
import { mapConcurrently } from '../../collections/map-concurrently.ts';
import { parseRunConfig } from '../../config/load.ts';
import type { ScoredRollout } from '../../records/rollouts.ts';
import { verdictsFolder } from '../../rewards/judge/kept-verdicts.ts';

/** Something to delete. */
export interface Garbage {
  kind: 'leftover' | 'checkpoint' | 'samples' | 'verdict';
  /** Relative to the folder of runs; for a multipart upload, its key and id. */
  path: string;
  bytes: number;
}

/** An attempt that has not touched a file for this long has crashed. */
const leftoverAgeMs = 3_600_000;

/** Names of the folders that are runs: those whose manifest names the folder. */
export async function runsIn(runsDir: string): Promise<string[]> {
  const store = openStore(runsDir);
  const names = await openInventory(runsDir).folders();
  const manifests = await mapConcurrently(names, requestsAtOnce, (name) =>
    store.readText(`${name}/${layout.manifest}`),
  );
  return names.filter((name, index) => runOf(manifests[index]!) === name).sort();
}

function runOf(manifest: string | null): unknown {
  try {
    return JSON.parse(manifest ?? '{}').run;
  } catch {
    return undefined;
  }
}

/** When a run last finished an activity, according to its folder; Unix time in ms. */
export async function lastWrittenMs(runsDir: string, run: string): Promise<number> {
  const entries = await openInventory(runsDir).entries(run);
  const timings = entries.filter(({ path }) => path.startsWith(`${run}/${layout.timings}`));
  return lastChangeMs(timings.length > 0 ? timings : entries);
}

/**
 * What can be deleted of a run that is not live.
 * @throws AnnealError DamagedArtifact or InvalidData if a file that says what to keep is damaged
 */
export async function garbageOfRun(runsDir: string, run: string): Promise<Garbage[]> {
  const store = openStore(joinAddress(runsDir, run));
  const retention = parseRunConfig(await readVerified(store, layout.config))?.retention;
  const history = parseMetricsJsonl(
    (await readVerified(store, layout.metrics)) ?? '',
    layout.metrics,
  );
  const expired = retention ? await expiredPaths(store, retention, history) : [];
  const inventory = openInventory(runsDir);
  const entries = await inventory.entries(run);
  const within = (path: string) => `${run}/${path}`;
  // Complete once, and perhaps damaged since: damaged checkpoints are not deleted here.
  const measured = new Set(history.map(({ epoch }) => within(layout.checkpoint(epoch))));
  const leftovers = inventory
    .unfinished(entries)
    .filter((path) => !measured.has(path) && isOlder(under(path, entries), leftoverAgeMs));
  // Snapshots that no attempt will resume from.
  const snapshots = await store.list(layout.allSnapshots);
  const garbage: Omit<Garbage, 'bytes'>[] = [
    ...expired.map((path) => ({
      kind: path.startsWith(layout.samples) ? ('samples' as const) : ('checkpoint' as const),
      path: within(path),
    })),
    ...snapshots.map((name) => leftover(within(`${layout.allSnapshots}/${name}`))),
    ...leftovers.map(leftover),
  ];
  return outermost(garbage).map((one) => ({ ...one, bytes: bytesOf(under(one.path, entries)) }));
}

/** Leftovers of attempts that crashed while writing a verdict or a budget account. */
export async function sharedLeftovers(runsDir: string): Promise<Garbage[]> {
  const entries = await openInventory(runsDir).entries(sharedPath);
  const scratch = entries.filter(({ path }) =>
    /^\.[0-9a-f]{12}$/.test(path.slice(sharedPath.length + 1)),
  );
  return scratch
    .filter((entry) => isOlder([entry], leftoverAgeMs))
    .map(({ path, bytes }) => ({ ...leftover(path), bytes }));
}

/**
 * Verdicts older than `ageMs` that no sample in the folder of runs refers to.
 * @returns null if that is unknown, because samples are damaged or from a version that did not
 *   record their verdicts
 */
export async function unusedVerdicts(runsDir: string, ageMs: number): Promise<Garbage[] | null> {
  const entries = await openInventory(runsDir).entries(`${sharedPath}/${verdictsFolder}`);
  const old = entries.filter((entry) => keyOf(entry) !== undefined && isOlder([entry], ageMs));
  if (old.length === 0) return [];
  const used = await usedVerdicts(runsDir);
  if (used === null) return null;
  return old
    .filter((entry) => !used.has(keyOf(entry)!))
    .map(({ path, bytes }) => ({ kind: 'verdict', path, bytes }));
}

/** The key of the verdict in a file; undefined for other files. */
const keyOf = ({ path }: Entry) => /([0-9a-f]{64})\.json$/.exec(path)?.[1];

/** Keys of the verdicts that samples refer to, in every folder, even if it is not known as a run. */
async function usedVerdicts(runsDir: string): Promise<Set<string> | null> {
  const inventory = openInventory(runsDir);
  const store = openStore(runsDir);
  const used = new Set<string>();
  for (const folder of await inventory.folders()) {
    const entries = await inventory.entries(`${folder}/${layout.samples}`);
    const scored = entries.filter(({ path }) => /scored-\d+\.jsonl$/.test(path));
    const found = await mapConcurrently(scored, requestsAtOnce, async ({ path }) =>
      verdictsOf((await store.readText(path)) ?? '', path),
    );
    for (const keys of found) {
      if (keys === null) return null;
      for (const key of keys) used.add(key);
    }
  }
  return used;
}

/** Keys of the verdicts behind scored samples; null if a sample does not record its own. */
function verdictsOf(text: string, path: string): string[] | null {
  try {
    const results = decodeJsonl<ScoredRollout>(text, path).flatMap(({ rewards }) =>
      Object.values(rewards),
    );
    const judged = results.flatMap(({ judged }) =>
      judged ? [judged, ...(judged.second ? [judged.second] : [])] : [],
    );
    const keys = judged.flatMap(({ verdict }) => verdict ?? []);
    const kept = results.flatMap(({ kept }) => kept ?? []);
    return keys.length === judged.length ? [...keys, ...kept] : null;
  } catch {
    return null;
  }
}

const leftover = (path: string) => ({ kind: 'leftover' as const, path });

/** Without duplicates, and without what is inside another. */
function outermost<T extends { path: string }>(found: readonly T[]): T[] {
  return found.filter(
    ({ path }, index) =>
      !found.some(
        (other, at) => path.startsWith(`${other.path}/`) || (path === other.path && at < index),
      ),
  );
}

const under = (path: string, entries: readonly Entry[]) =>
  entries.filter((entry) => entry.path === path || entry.path.startsWith(`${path}/`));

const lastChangeMs = (entries: readonly Entry[]) =>
  entries.reduce((last, { changedMs }) => Math.max(last, changedMs), 0);

/** Whether no entry has changed for this long. */
const isOlder = (entries: readonly Entry[], ageMs: number) =>
  lastChangeMs(entries) < Date.now() - ageMs;

const bytesOf = (entries: readonly Entry[]) => entries.reduce((sum, { bytes }) => sum + bytes, 0);
