// Deletes what no live run needs from a folder of runs. The Temporal server knows which runs are
// live; their folders are left alone.

import type { Client } from '@temporalio/client';
import { openInventory } from '../../artifacts/open-store.ts';
import { requestsAtOnce } from '../../artifacts/store.ts';
import { describeRun, isOpen, openRuns } from '../../client/run-state.ts';
import { mapConcurrently } from '../../collections/map-concurrently.ts';
import { keepsVerdicts } from '../../config/reward-traits.ts';
import { AnnealError } from '../../errors.ts';
import {
  type Garbage,
  garbageOfRun,
  lastWrittenMs,
  runsIn,
  sharedLeftovers,
  unusedVerdicts,
} from '../runs/garbage.ts';
import { folderOf, readConfig, typedPath } from '../runs/run-folder.ts';
import { isServerUp, type Place, withLiveTemporal } from '../services/temporal.ts';
import { printJson, printLines } from '../terminal/output.ts';
import { tableLines } from '../terminal/table.ts';

export interface GcOptions extends Place {
  /** Report what would be deleted, and delete nothing. */
  dryRun?: boolean | undefined;
  /** Do not ask a server. */
  offline?: boolean | undefined;
  /** Age in days from which verdicts that no sample refers to are deleted. */
  verdictDays: number;
  json?: boolean | undefined;
}

const dayMs = 86_400_000;

/** Something left alone that may hold garbage, and why. */
interface Spared {
  what: string;
  why: string;
}

/** @throws AnnealError NoServer if no server answers and `offline` is not set. */
export async function collectGarbage(options: GcOptions): Promise<void> {
  const { runsDir, dryRun = false, json } = options;
  const live = await liveRuns(options);
  const spared: Spared[] = [...live].map(([what, why]) => ({ what, why }));
  const garbage = await sharedLeftovers(runsDir);
  for (const run of await runsIn(runsDir))
    if (!live.has(run)) garbage.push(...(await garbageOr(spared, runsDir, run)));
  // Samples deleted now still count: verdicts that only they refer to are deleted next time.
  garbage.push(...(await verdictGarbage(options, [...live.keys()], spared)));
  const inventory = openInventory(runsDir);
  if (!dryRun) await mapConcurrently(garbage, requestsAtOnce, ({ path }) => inventory.remove(path));
  const bytes = garbage.reduce((sum, one) => sum + one.bytes, 0);
  if (json) printJson({ folder: typedPath(runsDir), dryRun, bytes, garbage, spared });
  else printLines(linesOf(garbage, spared, { bytes, dryRun }));
}

/** Runs that may still need their files, with the reason. */
async function liveRuns(options: GcOptions): Promise<Map<string, string>> {
  const { runsDir, offline, ...place } = options;
  if (offline) return liveAmong(runsDir, null);
  if (await isServerUp(runsDir))
    return withLiveTemporal({ runsDir, ...place }, ({ client }) => liveAmong(runsDir, client));
  throw new AnnealError(
    'NoServer',
    `expected a Temporal server that knows which runs in ${runsDir} are live, but none is running. ` +
      'Start one with `anneal dev`, set TEMPORAL_ADDRESS to yours, or pass --offline: then runs that wrote something in the last 24 hours count as live.',
  );
}

async function liveAmong(runsDir: string, client: Client | null): Promise<Map<string, string>> {
  const live = new Map<string, string>();
  for (const run of client ? await openRuns(client) : []) live.set(run, 'live');
  for (const run of await runsIn(runsDir)) {
    // The list of open runs lags behind; this does not.
    const execution = client && (await describeRun(client, run));
    if (execution && isOpen(execution.state)) live.set(run, 'live');
    if (!execution && (await lastWrittenMs(runsDir, run)) > Date.now() - dayMs)
      live.set(run, 'written to in the last 24 hours, and no server reports it as ended');
  }
  return live;
}

/** What can be deleted of a run: nothing if its own files are damaged. */
async function garbageOr(spared: Spared[], runsDir: string, run: string): Promise<Garbage[]> {
  try {
    return await garbageOfRun(runsDir, run);
  } catch (error) {
    if (!(error instanceof AnnealError)) throw error;
    spared.push({ what: run, why: error.message });
    return [];
  }
}

/** Verdicts are kept while a live run may ask for them. */
async function verdictGarbage(
  { runsDir, verdictDays }: GcOptions,
  live: readonly string[],
  spared: Spared[],
): Promise<Garbage[]> {
  const spare = (why: string) => {
    spared.push({ what: 'verdicts', why });
    return [];
  };
  for (const run of live) {
    const config = await readConfig(folderOf(runsDir, run));
    if (!config || config.rewards.some(keepsVerdicts))
      return spare(`the live run '${run}' may have a judge`);
  }
  const unused = await unusedVerdicts(runsDir, verdictDays * dayMs);
  return unused ?? spare('some judged samples do not name their verdicts');
}

function linesOf(
  garbage: readonly Garbage[],
  spared: readonly Spared[],
  { bytes, dryRun }: { bytes: number; dryRun: boolean },
): string[] {
  const groups = Map.groupBy(garbage, ({ kind, path }) => (kind === 'verdict' ? 'verdicts' : path));
  const rows = [...groups].map(([path, group]) => [
    path,
    group[0]!.kind,
    String(group.length),
    sizeOf(group.reduce((sum, one) => sum + one.bytes, 0)),
  ]);
  const total = `${garbage.length} ${garbage.length === 1 ? 'item' : 'items'}, ${sizeOf(bytes)}`;
  return [
    ...(rows.length > 0 ? [...tableLines(['path', 'kind', 'count', 'size'], rows), ''] : []),
    ...spared.map(({ what, why }) => `left alone: ${what} (${why})`),
    dryRun ? `would remove ${total}; nothing was removed` : `removed ${total}`,
  ];
}

function sizeOf(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(2)} MB`;
}
