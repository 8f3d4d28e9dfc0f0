// Starts the training of a reward model as a workflow, or attaches to it, and reports each epoch.

import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, WorkflowFailedError } from '@temporalio/client';
import { readPairs } from '../../activities/reward-model/pairs.ts';
import { checkOut } from '../../activities/reward-model/prepare.ts';
import { taskQueues } from '../../activities/task-queues.ts';
import { fixed, share } from '../../analysis/format.ts';
import type { PreferenceEpoch } from '../../analysis/pages/preference-report.ts';
import { describeRun, isOpen } from '../../client/run-state.ts';
import { resolveInput } from '../../config/paths.ts';
import {
  loadRewardModelFile,
  type RewardModelConfig,
} from '../../config/schema/reward-model-file.ts';
import { checkBytes, mostSettingsBytes } from '../../config/size.ts';
import { checkModelFolder } from '../../engine/inference/check-model-folder.ts';
import { type RewardModelResult, rewardModelEpochsQuery } from '../../workflows/messages.ts';
import { shortSummary } from '../../workflows/metadata.ts';
import { rootCause } from '../../workflows/root-cause.ts';
import { typedPath } from '../runs/run-folder.ts';
import { openTemporal, type Place } from '../services/temporal.ts';
import { openWorker, type WorkersChoice } from '../services/workers.ts';
import { exitCodes } from '../terminal/exit.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { printJson, printLines } from '../terminal/output.ts';

export interface TrainRewardModelOptions extends Place {
  name?: string | undefined;
  workers: WorkersChoice;
  json?: boolean | undefined;
}

const pollMs = 1000;

/** @returns the exit code: 0 only if the training completed. */
export async function trainRewardModel(
  file: string,
  options: TrainRewardModelOptions,
): Promise<number> {
  const config = await load(file, options);
  // With --json, only the document goes to stdout.
  const log = (line: string) =>
    void (options.json ? process.stderr : process.stdout).write(`${line}\n`);
  return interruptible(async (signal) => {
    const temporal = await openTemporal(options, log);
    try {
      if (signal.aborted) return exitCodes.interrupted;
      const { client } = temporal;
      await startOrAttach(client, config, options, log);
      const { base, pairs, held_out, out } = config;
      const allowPath = [base, pairs, out, ...(held_out === null ? [] : [held_out])];
      const worker = await openWorker({ ...options, allowPath }, temporal, log);
      try {
        return await follow(client, config, log, options.json ?? false, signal);
      } finally {
        await worker?.close();
      }
    } finally {
      await temporal.close();
    }
  });
}

async function load(file: string, { name }: TrainRewardModelOptions): Promise<RewardModelConfig> {
  const config = await loadRewardModelFile(resolveInput(file, 'reward model file'));
  return { ...config, name: name ?? config.name, out: resolve(config.out) };
}

async function startOrAttach(
  client: Client,
  config: RewardModelConfig,
  { workers }: TrainRewardModelOptions,
  log: (line: string) => void,
): Promise<void> {
  const { name, base, prompt_format, training } = config;
  const execution = await describeRun(client, name);
  if (execution && isOpen(execution.state)) return log(`'${name}' is in progress; attached to it`);
  // Workers elsewhere may have inputs that this machine lacks: the workflow checks them there.
  if (workers !== 'none') {
    await checkOut(config.out);
    const { train, heldOut } = await readPairs(config);
    await checkModelFolder(resolveInput(base, 'base'), prompt_format);
    log(`${train.length} pairs to train on, ${heldOut.length} held out`);
  }
  const most = mostSettingsBytes;
  checkBytes(config, most, `reward model '${name}'`, 'all settings together');
  await client.workflow.start('rewardModelTraining', {
    workflowId: name,
    taskQueue: taskQueues.workflows,
    args: [config],
    staticSummary: shortSummary(`${training.epochs} epochs of a reward model from ${base}`),
  });
}

/** Report each epoch as it ends, and the outcome. @returns the exit code */
async function follow(
  client: Client,
  { name }: RewardModelConfig,
  log: (line: string) => void,
  json: boolean,
  signal: AbortSignal,
): Promise<number> {
  let reported = 0;
  const report = (epochs: readonly PreferenceEpoch[]) => {
    for (const epoch of epochs.slice(reported)) log(epochLine(epoch));
    reported = Math.max(reported, epochs.length);
  };
  while (!signal.aborted) {
    const execution = await describeRun(client, name).catch(() => undefined);
    if (execution && !isOpen(execution.state)) {
      const result = await resultOf(client, name);
      report(result.epochs);
      if (json) printJson(result);
      else printLines(['', `${share(result.accuracy)} of held-out pairs ranked correctly`]);
      log(`model and report: ${typedPath(result.out)}`);
      return exitCodes.ok;
    }
    report(await epochsOf(client, name));
    await delay(pollMs, undefined, { signal }).catch(() => undefined);
  }
  log(`'${name}' is not finished; repeat the command to resume it`);
  return exitCodes.interrupted;
}

/** The finished epochs; none while no worker answers. */
async function epochsOf(client: Client, name: string): Promise<PreferenceEpoch[]> {
  const deadline = Date.now() + 5000;
  return client
    .withDeadline(deadline, () => client.workflow.getHandle(name).query(rewardModelEpochsQuery))
    .catch(() => []);
}

/** @throws Error with the workflow's own message if it did not complete. */
async function resultOf(client: Client, name: string): Promise<RewardModelResult> {
  try {
    return await client.workflow.getHandle(name).result();
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const reason = rootCause(error.cause);
    throw new Error(`reward model '${name}' was not trained: ${reason}`, { cause: error });
  }
}

function epochLine(line: PreferenceEpoch): string {
  const heldOut = `held-out loss ${fixed(line.held_out_loss, 3)}, accuracy ${share(line.held_out_accuracy)}`;
  return `epoch ${line.epoch}: loss ${fixed(line.loss, 3)}, accuracy ${share(line.accuracy)}; ${heldOut}`;
}
