// `anneal run FILE`: check, find or start a server and workers, start the run or attach to it,
// show it live, and end with its analysis. The run itself is the server's and the workers'.

import type { Client } from '@temporalio/client';
import { parseAssignment, shadowedAssignments } from '../../config/assignments.ts';
import { loadRunFile } from '../../config/load.ts';
import { resolveInput } from '../../config/paths.ts';
import type { RunConfig } from '../../config/schema/run.ts';
import { AnnealError } from '../../errors.ts';
import { announce, farewell } from '../live/announcements.ts';
import { createDisplay, type Display } from '../live/display.ts';
import { describeRun, isOpen, openRuns } from '../live/observe.ts';
import { concludeRun } from '../live/outcome.ts';
import { startRun } from '../live/start.ts';
import { watchRun } from '../live/watch.ts';
import { checkInputs } from '../runs/inputs.ts';
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

/** @returns the exit code: 0 only where the run completed. */
export async function runCommand(file: string, options: RunOptions): Promise<number> {
  // With --json the document has stdout for itself.
  const display = createDisplay(options.json ? process.stderr : process.stdout);
  const config = await loadChecked(file, options, display);
  if (options.detach && !(await isServerUp(options.runsDir))) throw nothingToDetachTo();
  return interruptible(async (signal) => {
    const temporal = await openTemporal(options, display.log);
    try {
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
  // Workers elsewhere may have inputs that this machine lacks; the run checks them there.
  if (workers !== 'none') await checkInputs(config);
  for (const { key, phases } of shadowedAssignments(set.map(parseAssignment), config))
    display.log(
      `note: --set ${key} does not reach ${phases.join(' and ')}, with a value of its own; ` +
        `for that there is --set phases.${phases[0]}.${key}=…`,
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
  const worker = await openWorker(options, temporal, display.log);
  try {
    if (worker) await tellOthers(client, run, display);
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

/** @throws AnnealError InvalidConfig where the user named a run that exists and has ended. */
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
  if (choice.kind !== 'refuse') return choice;
  throw new AnnealError(
    'InvalidConfig',
    `--name ${choice.name}: a run of that name exists already and has ended; its folder is ` +
      `${folderOf(runsDir, choice.name)}. Choose another name, or leave --name out to take the next free one.`,
  );
}

/** A worker serves every run of its server: those that waited for one go on. */
async function tellOthers(client: Client, run: string, display: Display): Promise<void> {
  const others = (await openRuns(client)).filter((other) => other !== run);
  if (others.length > 0)
    display.log(`going on as well, now that a worker is here: ${others.join(', ')}`);
}

function nothingToDetachTo(): AnnealError {
  return new AnnealError(
    'NoServer',
    '--detach leaves the run to a server and workers that are there already, but none is running. ' +
      'Start them with `anneal dev` in another terminal.',
  );
}
