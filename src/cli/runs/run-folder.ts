// Reads what a run left in its folder. Works without a server, and on a folder that holds no more
// than a metrics.jsonl.

import { basename, relative } from 'node:path';
import { parseMetricsJsonl } from '../../analysis/metrics/history.ts';
import { isS3Url, joinAddress, resolveAddress } from '../../artifacts/address.ts';
import { layout } from '../../artifacts/layout.ts';
import { openStore } from '../../artifacts/open-store.ts';
import { parseRunConfig } from '../../config/load.ts';
import type { EpochMetrics } from '../../records/metrics.ts';
import type { RunConfig } from '../../config/schema/run.ts';
import { AnnealError } from '../../errors.ts';

export interface RunFolder {
  /** Absolute path, or an `s3://` address. */
  path: string;
  name: string;
  metrics: EpochMetrics[];
  /** Null where the folder has none that can be read. */
  config: RunConfig | null;
}

/** The folder of a run of that id. */
export function folderOf(runsDir: string, run: string): string {
  return joinAddress(runsDir, run);
}

/** Whether anything lies in the folder of a run of that id. */
export async function isBegun(runsDir: string, run: string): Promise<boolean> {
  return (await openStore(runsDir).list(run)).length > 0;
}

/** The path as a person in the current directory would type it. */
export function typedPath(path: string): string {
  if (isS3Url(path)) return path;
  const short = relative('', path);
  return short === '' || short.startsWith('..') ? path : short;
}

/** A run by its folder; null where that holds no metrics. @throws AnnealError InvalidData */
export async function findRunFolder(path: string): Promise<RunFolder | null> {
  const text = await openStore(path).readText(layout.metrics);
  if (text === null) return null;
  const metrics = parseMetricsJsonl(text, joinAddress(path, layout.metrics));
  return { path, name: basename(path), metrics, config: await readConfig(path) };
}

/**
 * Read a run's folder, given by its path or by the run's id.
 * @throws AnnealError InvalidData where neither leads to a metrics.jsonl, or it is broken.
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
    `expected a run's folder or id, found no ${layout.metrics} in ${places.join(' or ')}. ` +
      'Name a folder that holds one, or the folder of runs with --runs-dir.',
  );
}

/** The configuration in a run's folder; null where there is none that can be read. */
export async function readConfig(folder: string): Promise<RunConfig | null> {
  return parseRunConfig(await openStore(folder).readText(layout.config));
}
