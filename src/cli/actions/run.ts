// Checks a run file, finds or starts a server and workers, starts the run or attaches to it, shows it
// live, and prints its analysis. The server and the workers do the run itself.

import type { Client } from '@temporalio/client';
import { describeRun, isOpen, openRuns } from '../../client/run-state.ts';
import { startRun } from '../../client/start-run.ts';
import { parseAssignment, shadowedAssignments } from '../../config/assignments.ts';
import { loadRunFile } from '../../config/load.ts';
import { resolveInput } from '../../config/paths.ts';
import { problemOfName } from '../../config/schema/names.ts';
import type { RunConfig } from '../../config/schema/run.ts';
import { AnnealError } from '../../errors.ts';
import { announce, farewell } from '../live/announcements.ts';
import { createDisplay, type Display } from '../live/run-display.ts';
import { concludeRun } from '../live/run-outcome.ts';
import { watchRun } from '../live/watch-run.ts';
import { checkInputs, trustedPathsOf } from '../runs/check-inputs.ts';
import { folderOf, isBegun, readConfig } from '../runs/run-folder.ts';
import { chooseName } from '../runs/run-name.ts';
import {
  isServerUp,
  openTemporal,
  type Place,
  type Temporal,
  webPageOf,
} from '../services/temporal.ts';
import { openWorker, type WorkersChoice } from '../services/workers.ts';
import { exitCodes } from '../terminal/exit.ts';
import { interruptible } from '../terminal/interrupt.ts';

export interface RunOptions extends Place {
  seed?: number | undefined;
  name?: string | undefined;
  set: string[];
  workers: WorkersChoice;
  json?: boolean | undefined;
  detach?: boolean | undefined;
}

/** @returns the exit code: 0 only if the run completed. */
export async function runLive(file: string, options: RunOptions): Promise<number> {
  // With --json, only the document goes to stdout.
  const display = createDisplay(options.json ? process.stderr : process.stdout);
  const config = await loadChecked(file, options, display);
  if (options.detach && !(await isServerUp(options.runsDir))) throw nothingToDetachTo();
  return interruptible(async (signal) => {
    const temporal = await openTemporal(options, display.log);
    try {
      // Nothing is started for someone who has left.
      if (signal.aborted) return exitCodes.interrupted;
      return await withRun(config, options, temporal, display, signal);
    } finally {
      await temporal.close();
    }
  });
}

async function loadChecked(
  file: string,
  { seed, name, set, workers }: RunOptions,
  display: Display,
): Promise<RunConfig> {
  const config = await loadRunFile(resolveInput(file, 'run file'), {
    set,
    overrides: { seed, name },
  });
  // Workers elsewhere may have inputs that this machine lacks: the run checks them there.
  if (workers !== 'none') await checkInputs(config);
  for (const { key, phases } of shadowedAssignments(
    set.map((flag) => parseAssignment(flag)),
    config,
  ))
    display.log(
      `note: --set ${key} has no effect in ${phases.join(' and ')}, where the run file sets its own value; ` +
        `use --set phases.${phases[0]}.${key}=…`,
    );
  return config;
}

async function withRun(
  config: RunConfig,
  options: RunOptions,
  temporal: Temporal,
  display: Display,
  signal: AbortSignal,
): Promise<number> {
  const { client, server } = temporal;
  const { runsDir, detach, json } = options;
  const { kind, name: run } = await chooseRun(config, options, client);
  if (kind === 'start') await startRun(client, { ...config, name: run });
  for (const line of announce(kind, { ...config, name: run }, webPageOf(server, run)))
    display.log(line);
  if (detach) return exitCodes.ok;
  const place = { ...options, allowPath: trustedPathsOf(config) };
  const worker = await openWorker(place, temporal, display.log);
  try {
    if (worker) await reportOthers(client, run, display);
    const followed = kind === 'start' ? config : await readConfig(folderOf(runsDir, run));
    const state = await watchRun({ client, run, config: followed, display, signal });
    display.done();
    for (const line of await concludeRun(client, run, state, { runsDir, json })) display.log(line);
    return exitCodes.ok;
  } catch (error) {
    display.done();
    if (!signal.aborted) throw error;
    for (const line of farewell(run, worker !== null)) display.log(line);
    return exitCodes.interrupted;
  } finally {
    await worker?.close();
  }
}

/** @throws AnnealError InvalidConfig if --name is that of a run that has ended. */
async function chooseRun(
  config: RunConfig,
  { name, runsDir }: RunOptions,
  client: Client,
): Promise<{ kind: 'start' | 'attach'; name: string }> {
  const choice = await chooseName(config.name, name !== undefined, async (candidate) => {
    const execution = await describeRun(client, candidate);
    if (execution && isOpen(execution.state)) return 'running';
    return execution || (await isBegun(runsDir, candidate)) ? 'taken' : 'free';
  });
  const tooLong = problemOfName(choice.name);
  if (tooLong)
    throw new AnnealError(
      'InvalidConfig',
      `name: ${tooLong}: '${config.name}' is taken, so the run would be called '${choice.name}'. Choose a shorter name with --name.`,
    );
  if (choice.kind !== 'refuse') return choice;
  throw new AnnealError(
    'InvalidConfig',
    `--name ${choice.name}: expected a new name or that of a live run, but this run has ended; its folder is ` +
      `${folderOf(runsDir, choice.name)}. Choose another name, or omit --name to use the next free one.`,
  );
}

/** A worker serves every run of its server, so runs that waited for one resume too. */
async function reportOthers(client: Client, run: string, display: Display): Promise<void> {
  const others = (await openRuns(client)).filter((other) => other !== run);
  if (others.length > 0) display.log(`the worker also resumes: ${others.join(', ')}`);
}

function nothingToDetachTo(): AnnealError {
  return new AnnealError(
    'NoServer',
    '--detach: expected a running server and workers to leave the run to, but no server is running. ' +
      'Start both with `anneal dev` in another terminal.',
  );
}
