// What in a folder of runs nobody needs any more: leftovers of dead attempts, what a run's
// retention lets go, kept verdicts that no sample refers to. It knows files; which runs are live
// is for the caller to say.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseMetricsJsonl } from '../analysis/history.ts';
import { readDocument } from '../artifacts/documents.ts';
import { decodeJsonl } from '../artifacts/jsonl.ts';
import { layout, sharedFolder } from '../artifacts/layout.ts';
import { createLocalStore } from '../artifacts/local-store.ts';
import { expiredPaths } from '../artifacts/retention.ts';
import { parseRunConfig } from '../config/load.ts';
import type { ScoredRollout } from '../config/records.ts';
import { verdictsFolder } from '../rewards/judge/kept-verdicts.ts';

/** Something to take away. */
export interface Garbage {
  kind: 'leftover' | 'checkpoint' | 'samples' | 'verdict';
  /** Relative to the folder of runs. */
  path: string;
  bytes: number;
}

/** An attempt is dead for sure where it has left a file alone for so long. */
const leftoverAgeMs = 3_600_000;

/** Names of the folders that runs have filled: those whose manifest bears the folder's own name. */
export async function runsIn(runsDir: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await entriesOf(runsDir)) {
    if (!entry.isDirectory()) continue;
    const text = await readFile(join(runsDir, entry.name, layout.manifest), 'utf8').catch(() => '');
    if (runOf(text) === entry.name) names.push(entry.name);
  }
  return names.sort();
}

function runOf(manifest: string): unknown {
  try {
    return JSON.parse(manifest).run;
  } catch {
    return undefined;
  }
}

/**
 * What may go of a run that is not live.
 * @throws AnnealError DamagedArtifact or InvalidData where a file does not say what the run needs
 */
export async function garbageOfRun(runsDir: string, run: string): Promise<Garbage[]> {
  const store = createLocalStore(join(runsDir, run));
  const retention = parseRunConfig(await readDocument(store, layout.config))?.retention;
  const history = (await readDocument(store, layout.metrics)) ?? '';
  const expired = retention
    ? await expiredPaths(store, retention, parseMetricsJsonl(history, layout.metrics))
    : [];
  const garbage = expired.map((path) => ({
    kind: path.startsWith(layout.samples) ? ('samples' as const) : ('checkpoint' as const),
    path: join(run, path),
  }));
  const leftovers = await leftoversIn(join(runsDir, run));
  // Of a training that nobody goes on with.
  for (const name of await store.list(layout.allSnapshots))
    leftovers.push(join(runsDir, run, layout.allSnapshots, name));
  return measured(runsDir, [...garbage, ...asLeftovers(runsDir, leftovers)]);
}

/** What died while it wrote a verdict or an account. */
export async function sharedLeftovers(runsDir: string): Promise<Garbage[]> {
  const root = sharedFolder(runsDir);
  const entries = await entriesOf(root);
  const scratch = entries.filter((entry) => entry.isFile() && /^\.[0-9a-f]{12}$/.test(entry.name));
  const paths = scratch.map(({ name }) => join(root, name));
  const old = await olderThan(paths, leftoverAgeMs);
  return measured(runsDir, asLeftovers(runsDir, old));
}

/**
 * Verdicts older than `ageMs` to which no sample in the folder of runs refers.
 * @returns null where that cannot be told: samples of an earlier version do not name theirs, and
 * damaged ones cannot.
 */
export async function unusedVerdicts(runsDir: string, ageMs: number): Promise<Garbage[] | null> {
  const used = new Set<string>();
  for (const path of await scoredFiles(runsDir)) {
    const names = verdictsOf(await readFile(path, 'utf8'), path);
    if (names === null) return null;
    for (const name of names) used.add(name);
  }
  const root = join(sharedFolder(runsDir), verdictsFolder);
  const paths = (await filesUnder(root)).filter((path) => {
    const [, name] = /([0-9a-f]{64})\.json$/.exec(path) ?? [];
    return name !== undefined && !used.has(name);
  });
  const unused = await olderThan(paths, ageMs);
  return measured(
    runsDir,
    unused.map((path) => ({ kind: 'verdict', path: relative(runsDir, path) })),
  );
}

/** Scored samples of every folder that has some, whether or not it is known to be a run's. */
async function scoredFiles(runsDir: string): Promise<string[]> {
  const folders = (await entriesOf(runsDir)).filter((entry) => entry.isDirectory());
  const samples = folders.map(({ name }) => filesUnder(join(runsDir, name, layout.samples)));
  return (await Promise.all(samples)).flat().filter((path) => /scored-\d+\.jsonl$/.test(path));
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

/** Scratch folders and half-written files, by the names that the store gives them. */
async function leftoversIn(runFolder: string): Promise<string[]> {
  const found: string[] = [];
  const waiting = [runFolder];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop())
    for (const entry of await entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isFile() && /\.[0-9a-f]{12}\.tmp$/.test(entry.name)) found.push(path);
      else if (!entry.isDirectory()) continue;
      else if (/^\..+\.[0-9a-f]{12}$/.test(entry.name)) found.push(path);
      else waiting.push(path);
    }
  return olderThan(found, leftoverAgeMs);
}

const asLeftovers = (runsDir: string, paths: readonly string[]) =>
  paths.map((path) => ({ kind: 'leftover' as const, path: relative(runsDir, path) }));

/** Those of the paths under which nothing has changed for so long. */
async function olderThan(paths: readonly string[], ageMs: number): Promise<string[]> {
  const before = Date.now() - ageMs;
  const old: string[] = [];
  for (const path of paths) {
    const infos = await Promise.all([path, ...(await filesUnder(path))].map(infoOf));
    if (infos.every((info) => (info?.mtimeMs ?? 0) < before)) old.push(path);
  }
  return old;
}

async function measured(
  runsDir: string,
  found: readonly Omit<Garbage, 'bytes'>[],
): Promise<Garbage[]> {
  const garbage: Garbage[] = [];
  for (const one of found) {
    const path = join(runsDir, one.path);
    const infos = await Promise.all([path, ...(await filesUnder(path))].map(infoOf));
    const sizes = infos.map((info) => (info?.isFile() ? info.size : 0));
    garbage.push({ ...one, bytes: sizes.reduce((sum, size) => sum + size, 0) });
  }
  return garbage;
}

/** Null where another has taken it away. */
const infoOf = (path: string) => stat(path).catch(() => null);

/** All files in a folder and in those in it; none of what is no folder. */
async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(nothing);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

const entriesOf = (folder: string) => readdir(folder, { withFileTypes: true }).catch(nothing);

function nothing(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
  throw error;
}
