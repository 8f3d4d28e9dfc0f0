// `anneal gc`: takes away what no live run needs of a folder of runs. Which runs are live is the
// Temporal server's to say; their folders are left alone.

import type { Client } from '@temporalio/client';
import { together } from '../../artifacts/in-batches.ts';
import { openInventory } from '../../artifacts/open-store.ts';
import { AnnealError } from '../../errors.ts';
import { describeRun, isOpen, openRuns } from '../live/observe.ts';
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
import { exitCodes } from '../terminal/exit.ts';
import { printJson, printLines } from '../terminal/output.ts';
import { tableLines } from '../terminal/table.ts';

export interface GcOptions extends Place {
  /** Say what would go, and leave it. */
  dryRun?: boolean | undefined;
  /** Ask no server. */
  offline?: boolean | undefined;
  /** Age in days at which verdicts that no sample refers to go. */
  verdictDays: number;
  json?: boolean | undefined;
}

const dayMs = 86_400_000;

/** What was left alone though it may hold garbage, and why. */
interface Spared {
  what: string;
  why: string;
}

/** @throws AnnealError NoServer where none can be asked and `offline` is not given. */
export async function gcCommand(options: GcOptions): Promise<number> {
  const { runsDir, dryRun = false, json } = options;
  const live = await liveRuns(options);
  const spared: Spared[] = [...live].map(([what, why]) => ({ what, why }));
  const garbage = await sharedLeftovers(runsDir);
  for (const run of await runsIn(runsDir))
    if (!live.has(run)) garbage.push(...(await garbageOr(spared, runsDir, run)));
  // Samples that go now still count: the verdicts that they alone refer to go the next time.
  garbage.push(...(await verdictGarbage(options, [...live.keys()], spared)));
  const inventory = openInventory(runsDir);
  if (!dryRun) await together(garbage, ({ path }) => inventory.remove(path));
  const bytes = garbage.reduce((sum, one) => sum + one.bytes, 0);
  if (json) printJson({ folder: typedPath(runsDir), dryRun, bytes, garbage, spared });
  else printLines(linesOf(garbage, spared, { bytes, dryRun }));
  return exitCodes.ok;
}

/** Runs that may still need anything, with the reason. */
async function liveRuns(options: GcOptions): Promise<Map<string, string>> {
  const { runsDir, offline, ...place } = options;
  if (offline) return liveAmong(runsDir, null);
  if (await isServerUp(runsDir))
    return withLiveTemporal({ runsDir, ...place }, ({ client }) => liveAmong(runsDir, client));
  throw new AnnealError(
    'NoServer',
    `expected a Temporal server that says which runs in ${runsDir} are live, but none is running. ` +
      'Start one with `anneal dev`, name yours by TEMPORAL_ADDRESS, or give --offline: then those runs count as live that have written something in the last 24 hours.',
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
      live.set(run, 'written to in the last 24 hours, and no server says that it has ended');
  }
  return live;
}

/** What a run can spare; of one that does not say what it needs, nothing. */
async function garbageOr(spared: Spared[], runsDir: string, run: string): Promise<Garbage[]> {
  try {
    return await garbageOfRun(runsDir, run);
  } catch (error) {
    if (!(error instanceof AnnealError)) throw error;
    spared.push({ what: run, why: error.message });
    return [];
  }
}

/** Verdicts stay while a live run may be about to ask for them. */
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
    if (!config || config.rewards.some(({ kind }) => kind === 'judge'))
      return spare(`the live run '${run}' may have a judge`);
  }
  const unused = await unusedVerdicts(runsDir, verdictDays * dayMs);
  return unused ?? spare('there are judged samples that do not name their verdicts');
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
  const things = `${garbage.length} ${garbage.length === 1 ? 'thing' : 'things'}, ${sizeOf(bytes)}`;
  return [
    ...(rows.length > 0 ? [...tableLines(['path', 'what', 'number', 'size'], rows), ''] : []),
    ...spared.map(({ what, why }) => `left alone: ${what} (${why})`),
    dryRun ? `would remove ${things}; nothing was removed` : `removed ${things}`,
  ];
}

function sizeOf(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(2)} MB`;
}
