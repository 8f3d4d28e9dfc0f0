// The folders of an experiment's runs. An interrupted run, after a failure or a cancelled experiment,
// keeps its folder and continues as a run with the next free name.

import { isDeepStrictEqual } from 'node:util';
import { joinAddress } from '../../artifacts/address.ts';
import { layout } from '../../artifacts/layout.ts';
import { openStore } from '../../artifacts/open-store.ts';
import { lastEpochOf } from '../../config/schedule.ts';
import type { ExperimentRun } from '../../config/schema/experiment-file.ts';
import type { RunConfig } from '../../config/schema/run.ts';
import type { ExperimentInput } from '../../workflows/messages.ts';
import { findRunFolder, folderOf, isBegun } from './run-folder.ts';
import { numberedName } from './run-name.ts';

/** How often a run was started: under its own name, then `…-2`, `…-3`. */
async function attemptsOf(id: string, runsDir: string): Promise<number> {
  let attempts = 0;
  while (await isBegun(runsDir, numberedName(id, attempts + 1))) attempts++;
  return attempts;
}

/** The folder of a run's latest attempt, or of the first if there is none yet. */
export async function latestFolder({ id }: ExperimentRun, runsDir: string): Promise<string> {
  return folderOf(runsDir, numberedName(id, Math.max(1, await attemptsOf(id, runsDir))));
}

/** Whether a run has measured its last epoch. */
export async function isFinished(run: ExperimentRun, runsDir: string): Promise<boolean> {
  const found = await findRunFolder(await latestFolder(run, runsDir));
  return found?.metrics.at(-1)?.epoch === lastEpochOf(run.config);
}

/**
 * The run to start so that an unfinished run completes: the run itself, or one with the next free
 * name that resumes from the last measured checkpoint. It starts from scratch if the interrupted run
 * had other settings, because the experiment file was changed, or no measured epoch.
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

/** The configuration without the keys that differ between attempts. */
function settingsOf({ name: _, resume_from: __, ...settings }: RunConfig) {
  return settings;
}
