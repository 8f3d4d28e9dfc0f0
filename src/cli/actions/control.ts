// Sends an update to a live run and prints its answer.

import {
  type Client,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { describeRun, isOpen } from '../../client/run-state.ts';
import { parseAssignment } from '../../config/assignments.ts';
import { AnnealError } from '../../errors.ts';
import {
  type Adjustment,
  adjustUpdate,
  pauseUpdate,
  type RunStatus,
  resumeUpdate,
  stopUpdate,
} from '../../workflows/messages.ts';
import { type Place, withLiveTemporal } from '../services/temporal.ts';
import { printJson, printLines } from '../terminal/output.ts';

export type ControlOptions = Place & { json?: boolean | undefined };

/** How long a run may take to answer: a worker has to pick up the message. */
const answerTimeoutMs = 30_000;

const controls = {
  pause: { update: pauseUpdate, effect: 'pauses after the epoch in progress' },
  resume: { update: resumeUpdate, effect: 'resumes' },
  stop: { update: stopUpdate, effect: 'ends as completed after the epoch in progress' },
} as const;

/** Pause, resume or stop a run. @throws AnnealError InvalidData if no such run is live. */
export async function controlRun(
  control: keyof typeof controls,
  run: string,
  options: ControlOptions,
): Promise<void> {
  const { update, effect } = controls[control];
  await send(run, (handle) => handle.executeUpdate(update), effect, options);
}

/** Change settings of a live run from its next epoch on: `rlaif.kl_penalty=0.05 …`. */
export async function adjustRun(
  run: string,
  assignments: readonly string[],
  options: ControlOptions,
): Promise<void> {
  const change = adjustmentOf(assignments);
  const update: Update = (handle) => handle.executeUpdate(adjustUpdate, { args: [change] });
  await send(run, update, 'applies the change from its next epoch on', options);
}

/** @throws AnnealError InvalidConfig for anything but keys of rlaif and training. */
export function adjustmentOf(assignments: readonly string[]): Adjustment {
  const change: Record<string, Record<string, unknown>> = {};
  for (const text of assignments) {
    const { path, value } = parseAssignment(text, 'adjust');
    const [section, key, ...rest] = path.map(String);
    if ((section !== 'rlaif' && section !== 'training') || !key || rest.length > 0)
      throw new AnnealError(
        'InvalidConfig',
        `adjust: expected rlaif.KEY=VALUE or training.KEY=VALUE, found '${text}'. Other settings are fixed for a run.`,
      );
    change[section] = { ...change[section], [key]: value };
  }
  return change;
}

type Update = (handle: WorkflowHandle) => Promise<RunStatus>;

function send(
  run: string,
  update: Update,
  effect: string,
  { json, ...place }: ControlOptions,
): Promise<void> {
  return withLiveTemporal(place, async ({ client }) => {
    const status = await answerOf(client, run, update);
    if (json) printJson(status);
    else printLines([`run '${run}' ${effect} (now: ${status.state})`]);
  });
}

async function answerOf(client: Client, run: string, update: Update): Promise<RunStatus> {
  const execution = await describeRun(client, run);
  if (!execution || !isOpen(execution.state)) throw notLive(run, execution?.state);
  try {
    const handle = client.workflow.getHandle(run);
    return await client.withDeadline(Date.now() + answerTimeoutMs, () => update(handle));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw notLive(run, 'COMPLETED');
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) throw noAnswer(run, error);
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    const reason = error.cause?.message ?? error.message;
    throw new AnnealError('InvalidConfig', reason, { cause: error });
  }
}

function noAnswer(run: string, cause: Error): AnnealError {
  const message = `run '${run}' did not answer within ${answerTimeoutMs / 1000} s. Only a worker can answer: start one with \`anneal dev\` or \`anneal run\`.`;
  return new AnnealError('NoServer', message, { cause });
}

function notLive(run: string, state?: string): AnnealError {
  const found = state ? `it is ${state.toLowerCase()}` : 'the server knows no run of that name';
  return new AnnealError(
    'InvalidData',
    `expected a live run '${run}', but ${found}. \`anneal temporal workflow list\` lists all runs.`,
  );
}
