// What in a folder of runs nobody needs any more: leftovers of dead attempts, what a run's
// retention lets go, kept verdicts that no sample refers to. It knows files; which runs are live
// is for the caller to say.

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

/** Something to take away. */
export interface Garbage {
  kind: 'leftover' | 'checkpoint' | 'samples' | 'verdict';
  /** Relative to the folder of runs; of an upload in parts the key that it was for, and its id. */
  path: string;
  bytes: number;
}

/** An attempt is dead for sure where it has left a file alone for so long. */
const leftoverAgeMs = 3_600_000;

/** Names of the folders that runs have filled: those whose manifest bears the folder's own name. */
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

/** When a run last finished an activity, as far as its folder says; Unix ms. */
export async function lastWrittenMs(runsDir: string, run: string): Promise<number> {
  const entries = await openInventory(runsDir).entries(run);
  const timings = entries.filter(({ path }) => path.startsWith(`${run}/${layout.timings}`));
  return lastChangeMs(timings.length > 0 ? timings : entries);
}

/**
 * What may go of a run that is not live.
 * @throws AnnealError DamagedArtifact or InvalidData where a file does not say what the run needs
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
  // Whole once, whatever became of it: damage is not for this to take away.
  const measured = new Set(history.map(({ epoch }) => within(layout.checkpoint(epoch))));
  const leftovers = inventory
    .unfinished(entries)
    .filter((path) => !measured.has(path) && isOlder(under(path, entries), leftoverAgeMs));
  // Of a training that nobody goes on with.
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

/** What died while it wrote a verdict or an account. */
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
 * Verdicts older than `ageMs` to which no sample in the folder of runs refers.
 * @returns null where that cannot be told: samples of an earlier version do not name theirs, and
 * damaged ones cannot.
 */
export async function unusedVerdicts(runsDir: string, ageMs: number): Promise<Garbage[] | null> {
  const entries = await openInventory(runsDir).entries(`${sharedPath}/${verdictsFolder}`);
  const old = entries.filter((entry) => nameOf(entry) !== undefined && isOlder([entry], ageMs));
  if (old.length === 0) return [];
  const used = await usedVerdicts(runsDir);
  if (used === null) return null;
  return old
    .filter((entry) => !used.has(nameOf(entry)!))
    .map(({ path, bytes }) => ({ kind: 'verdict', path, bytes }));
}

/** The verdict that a file keeps; undefined for one that keeps none. */
const nameOf = ({ path }: Entry) => /([0-9a-f]{64})\.json$/.exec(path)?.[1];

/** The verdicts that samples name, of every folder, whether or not it is known to be a run's. */
async function usedVerdicts(runsDir: string): Promise<Set<string> | null> {
  const inventory = openInventory(runsDir);
  const store = openStore(runsDir);
  const used = new Set<string>();
  for (const folder of await inventory.folders()) {
    const entries = await inventory.entries(`${folder}/${layout.samples}`);
    const scored = entries.filter(({ path }) => /scored-\d+\.jsonl$/.test(path));
    const named = await mapConcurrently(scored, requestsAtOnce, async ({ path }) =>
      verdictsOf((await store.readText(path)) ?? '', path),
    );
    for (const names of named) {
      if (names === null) return null;
      for (const name of names) used.add(name);
    }
  }
  return used;
}

/** Names of the verdicts that scored samples are from; null where one does not say. */
function verdictsOf(text: string, path: string): string[] | null {
  try {
    const judged = decodeJsonl<ScoredRollout>(text, path)
      .flatMap(({ rewards }) => Object.values(rewards))
      .flatMap(({ judged }) => (judged ? [judged, ...(judged.second ? [judged.second] : [])] : []));
    const names = judged.flatMap(({ verdict }) => verdict ?? []);
    return names.length === judged.length ? names : null;
  } catch {
    return null;
  }
}

const leftover = (path: string) => ({ kind: 'leftover' as const, path });

/** Without what lies in another, or comes twice. */
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

/** Whether nothing of it has changed for so long. */
const isOlder = (entries: readonly Entry[], ageMs: number) =>
  lastChangeMs(entries) < Date.now() - ageMs;

const bytesOf = (entries: readonly Entry[]) => entries.reduce((sum, { bytes }) => sum + bytes, 0);
