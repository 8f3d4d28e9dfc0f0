// Reads the folder of a run. It needs no server, and a folder with only a metrics.jsonl is enough.

import { basename, relative } from 'node:path';
import { parseMetricsJsonl } from '../../analysis/metrics/history.ts';
import { isS3Url, joinAddress, resolveAddress } from '../../artifacts/address.ts';
import { layout } from '../../artifacts/layout.ts';
import { openStore } from '../../artifacts/open-store.ts';
import { parseRunConfig } from '../../config/load.ts';
import type { RunConfig } from '../../config/schema/run.ts';
import { AnnealError } from '../../errors.ts';
import type { EpochMetrics } from '../../records/metrics.ts';

export interface RunFolder {
  /** Absolute path, or an `s3://` address. */
  path: string;
  name: string;
  metrics: EpochMetrics[];
  /** Null if the folder has none that can be read. */
  config: RunConfig | null;
}

/** The folder of the run with that id. */
export function folderOf(runsDir: string, run: string): string {
  return joinAddress(runsDir, run);
}

/** Whether the folder of the run with that id has any files. */
export async function isBegun(runsDir: string, run: string): Promise<boolean> {
  return (await openStore(runsDir).list(run)).length > 0;
}

/** The path as a person types it in the current directory. */
export function typedPath(path: string): string {
  if (isS3Url(path)) return path;
  const short = relative('', path);
  return short === '' || short.startsWith('..') ? path : short;
}

/** The run in a folder; null if it has no metrics. @throws AnnealError InvalidData */
export async function findRunFolder(path: string): Promise<RunFolder | null> {
  const text = await openStore(path).readText(layout.metrics);
  if (text === null) return null;
  const metrics = parseMetricsJsonl(text, joinAddress(path, layout.metrics));
  return { path, name: basename(path), metrics, config: await readConfig(path) };
}

/**
 * Read a run's folder, given its path or the run's id.
 * @throws AnnealError InvalidData if neither leads to a metrics.jsonl, or it is damaged.
 */
export async function readRunFolder(runOrFolder: string, runsDir: string): Promise<RunFolder> {
  const given = resolveAddress(runOrFolder);
  const places = isS3Url(given) ? [given] : [given, folderOf(runsDir, runOrFolder)];
  for (const place of places) {
    const found = await findRunFolder(place);
    if (found) return found;
  }
  throw new AnnealError(
    'InvalidData',
    `expected the id or folder of a run, found no ${layout.metrics} in ${places.join(' or ')}. ` +
      'Name a folder that has one, or pass the folder of runs with --runs-dir.',
  );
}

/** The configuration in a run's folder; null if there is none that can be read. */
export async function readConfig(folder: string): Promise<RunConfig | null> {
  return parseRunConfig(await openStore(folder).readText(layout.config));
}
