// Reads what a run left in its folder. Works without a server, and on a folder that holds no more
// than a metrics.jsonl.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { parseMetricsJsonl } from '../analysis/history.ts';
import { layout } from '../artifacts/layout.ts';
import { parseRunConfig } from '../config/load.ts';
import type { EpochMetrics } from '../config/records.ts';
import type { RunConfig } from '../config/schema.ts';
import { AnnealError } from '../errors.ts';

export interface RunFolder {
  /** Absolute path. */
  path: string;
  name: string;
  metrics: EpochMetrics[];
  /** Null where the folder has none that can be read. */
  config: RunConfig | null;
}

/** The folder of a run of that id. */
export function folderOf(runsDir: string, run: string): string {
  return join(runsDir, run);
}

/** The path as a person in the current directory would type it. */
export function typedPath(path: string): string {
  const short = relative('', path);
  return short === '' || short.startsWith('..') ? path : short;
}

/** Whether the folder holds metrics, and so can be shown. */
export function hasMetrics(folder: string): boolean {
  return existsSync(join(folder, layout.metrics));
}

/**
 * Read a run's folder, given by its path or by the run's id.
 * @throws AnnealError InvalidData where neither leads to a metrics.jsonl, or it is broken.
 */
export async function readRunFolder(runOrFolder: string, runsDir: string): Promise<RunFolder> {
  const places = [resolve(runOrFolder), folderOf(runsDir, runOrFolder)];
  const path = places.find(hasMetrics);
  if (path === undefined)
    throw new AnnealError(
      'InvalidData',
      `expected a run's folder or id, found no ${layout.metrics} in ${places.join(' or ')}. ` +
        'Name a folder that holds one, or the folder of runs with --runs-dir.',
    );
  const metricsFile = join(path, layout.metrics);
  return {
    path,
    name: basename(path),
    metrics: parseMetricsJsonl(await readFile(metricsFile, 'utf8'), metricsFile),
    config: await readConfig(path),
  };
}

/** The configuration in a run's folder; null where there is none that can be read. */
export async function readConfig(folder: string): Promise<RunConfig | null> {
  const file = join(folder, layout.config);
  return parseRunConfig(existsSync(file) ? await readFile(file, 'utf8') : null);
}
