// Starts the unfinished runs of an experiment as one workflow, or attaches to it, reports each run
// that ends, and writes the comparison of all.

import { setTimeout as delay } from 'node:timers/promises';
import { taskQueues } from '../../activities/task-queues.ts';
import { describeRun, isOpen } from '../../client/run-state.ts';
import { resolveInput } from '../../config/paths.ts';
import {
  type Experiment,
  type ExperimentRun,
  loadExperiment,
} from '../../config/schema/experiment-file.ts';
import { checkBytes } from '../../config/size.ts';
import type { ExperimentInput, ExperimentOutcome } from '../../workflows/messages.ts';
import { checkInputs, trustedPathsOf } from '../runs/check-inputs.ts';
import { writeComparison } from '../runs/experiment-comparison.ts';
import { isFinished, latestFolder, nextAttempt } from '../runs/experiment-runs.ts';
import { readRunFolder } from '../runs/run-folder.ts';
import { openTemporal, type Place, type Temporal } from '../services/temporal.ts';
import { openWorker, type WorkersChoice } from '../services/workers.ts';
import { exitCodes } from '../terminal/exit.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { printLines } from '../terminal/output.ts';

export interface ExperimentOptions extends Place {
  workers: WorkersChoice;
}

const pollMs = 2000;
const log = (line: string) => printLines([line]);

/** @returns the exit code: 0 only if every run completed. */
export async function runExperiment(file: string, options: ExperimentOptions): Promise<number> {
  const experiment = await loadExperiment(resolveInput(file, 'experiment file'));
  if (options.workers !== 'none') await checkVariants(experiment);
  const missing = await unfinished(experiment, options.runsDir);
  log(
    `${experiment.name}: ${experiment.runs.length} runs, ${experiment.runs.length - missing.length} done`,
  );
  if (missing.length > 0) {
    const code = await interruptible((signal) => runMissing(experiment, missing, options, signal));
    if (code !== exitCodes.ok) return code;
  }
  for (const line of await writeComparison(experiment, options.runsDir)) log(line);
  return exitCodes.ok;
}

/** Checks each variant's inputs once: the seed does not change them. */
async function checkVariants({ runs, seeds }: Experiment): Promise<void> {
  for (const { config } of runs.filter(({ seed }) => seed === seeds[0])) await checkInputs(config);
}

async function unfinished({ runs }: Experiment, runsDir: string): Promise<ExperimentRun[]> {
  const missing: ExperimentRun[] = [];
  for (const run of runs) if (!(await isFinished(run, runsDir))) missing.push(run);
  return missing;
}

async function runMissing(
  experiment: Experiment,
  missing: ExperimentRun[],
  options: ExperimentOptions,
  signal: AbortSignal,
): Promise<number> {
  const temporal = await openTemporal(options, log);
  try {
    if (signal.aborted) return exitCodes.interrupted;
    await startOrAttach(temporal, experiment, missing, options.runsDir);
    const allowPath = missing.flatMap(({ config }) => trustedPathsOf(config));
    const worker = await openWorker({ ...options, allowPath }, temporal, log);
    try {
      return await follow(temporal, experiment, missing, options.runsDir, signal);
    } finally {
      await worker?.close();
    }
  } finally {
    await temporal.close();
  }
}

async function startOrAttach(
  { client }: Temporal,
  { name, concurrency }: Experiment,
  missing: readonly ExperimentRun[],
  runsDir: string,
): Promise<void> {
  const execution = await describeRun(client, name);
  if (execution && isOpen(execution.state)) return log(`${name} is in progress; attached to it`);
  const runs: ExperimentInput['runs'] = [];
  for (const run of missing) {
    const next = await nextAttempt(run, runsDir);
    if (next.id !== run.id) log(`${run.id} was interrupted; it continues as ${next.id}`);
    runs.push(next);
  }
  checkExperimentSize(name, runs);
  await client.workflow.start('experiment', {
    workflowId: name,
    taskQueue: taskQueues.workflows,
    args: [{ concurrency, runs }],
    staticSummary: `${runs.length} runs, ${concurrency} at a time`,
  });
}

/** Bytes of an input; the server's limit is 2 MiB. */
const mostInputBytes = 2_000_000;

/** @throws AnnealError InvalidConfig if the runs are more than the server takes as one workflow */
function checkExperimentSize(name: string, runs: ExperimentInput['runs']): void {
  const files = Object.fromEntries(runs.map(({ id, file }) => [id, file]));
  const all = `the run files of the ${runs.length} runs of an experiment; divide it into several, by seeds`;
  checkBytes(files, mostInputBytes, `experiment '${name}'`, all);
}

/** Report each run as it ends. @returns the exit code */
async function follow(
  { client }: Temporal,
  experiment: Experiment,
  missing: readonly ExperimentRun[],
  runsDir: string,
  signal: AbortSignal,
): Promise<number> {
  const waiting = new Set(missing);
  while (!signal.aborted) {
    for (const run of waiting)
      if (await isFinished(run, runsDir)) {
        waiting.delete(run);
        const { metrics } = await readRunFolder(await latestFolder(run, runsDir), runsDir);
        const reward = metrics.at(-1)!['eval/reward'].toFixed(3);
        const done = experiment.runs.length - waiting.size;
        log(`${done} of ${experiment.runs.length}: ${run.id}, held-out reward ${reward}`);
      }
    const execution = await describeRun(client, experiment.name).catch(() => undefined);
    if (execution && !isOpen(execution.state)) return outcomeOf(client, experiment.name);
    await delay(pollMs, undefined, { signal }).catch(() => undefined);
  }
  log(`${experiment.name} is incomplete; repeat the command to resume it`);
  return exitCodes.interrupted;
}

async function outcomeOf(client: Temporal['client'], name: string): Promise<number> {
  const outcomes = (await client.workflow.getHandle(name).result()) as ExperimentOutcome[];
  const failed = outcomes.filter(({ failure }) => failure !== null);
  for (const { id, failure } of failed) log(`failed: ${id}: ${failure}`);
  return failed.length > 0 ? exitCodes.failed : exitCodes.ok;
}
