// Where the runs of an experiment lie. One that was cut short, by a cancelled experiment or a
// failure, keeps its folder as it is and goes on in a run of the next free name.

import { isDeepStrictEqual } from 'node:util';
import { joinAddress } from '../../artifacts/address.ts';
import { layout } from '../../artifacts/layout.ts';
import { openStore } from '../../artifacts/open-store.ts';
import type { ExperimentRun } from '../../config/schema/experiment-file.ts';
import type { RunConfig } from '../../config/schema/run.ts';
import { lastEpochOf } from '../../config/schedule.ts';
import type { ExperimentInput } from '../../workflows/messages.ts';
import { findRunFolder, folderOf, isBegun } from './run-folder.ts';
import { numberedName } from './run-name.ts';

/** How often a run of the grid was begun: under its own name, then `…-2`, `…-3`. */
async function attemptsOf(id: string, runsDir: string): Promise<number> {
  let attempts = 0;
  while (await isBegun(runsDir, numberedName(id, attempts + 1))) attempts++;
  return attempts;
}

/** The folder in which a run was last begun; its own where it was not. */
export async function latestFolder({ id }: ExperimentRun, runsDir: string): Promise<string> {
  return folderOf(runsDir, numberedName(id, Math.max(1, await attemptsOf(id, runsDir))));
}

/** Whether a run of the grid has measured its last epoch. */
export async function isFinished(run: ExperimentRun, runsDir: string): Promise<boolean> {
  const found = await findRunFolder(await latestFolder(run, runsDir));
  return found?.metrics.at(-1)?.epoch === lastEpochOf(run.config);
}

/**
 * What to start so that an unfinished run comes to its end: the run itself, or one of the next free
 * name, from the last measured checkpoint of the one that was cut short. Where that one had other
 * settings, as when the experiment's file was changed in between, or no epoch, it begins anew.
 */
export async function nextAttempt(
  run: ExperimentRun,
  runsDir: string,
): Promise<ExperimentInput['runs'][number]> {
  const { id, config } = run;
  const name = numberedName(id, (await attemptsOf(id, runsDir)) + 1);
  const checkpoint = name === id ? null : await checkpointLeft(run, runsDir);
  const resume_from = checkpoint ?? config.resume_from;
  return { id: name, file: { ...config, name, resume_from } };
}

async function checkpointLeft(run: ExperimentRun, runsDir: string): Promise<string | null> {
  const found = await findRunFolder(await latestFolder(run, runsDir));
  if (!found?.config) return null;
  const { path, metrics, config } = found;
  if (!isDeepStrictEqual(settingsOf(config), settingsOf(run.config))) return null;
  const checkpoint = layout.checkpoint(metrics.at(-1)?.epoch ?? 0);
  const files = await openStore(path).list(checkpoint);
  return files.length > 0 ? joinAddress(path, checkpoint) : null;
}

/** All of a configuration but what another attempt changes. */
function settingsOf({ name: _, resume_from: __, ...settings }: RunConfig) {
  return settings;
}
