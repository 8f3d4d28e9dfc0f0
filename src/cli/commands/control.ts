// `anneal pause|resume|stop|adjust RUN`: what people say to a live run.

import {
  type Client,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
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
import { describeRun, isOpen } from '../live/observe.ts';
import { type Place, withLiveTemporal } from '../services/temporal.ts';
import { printJson, printLines } from '../terminal/output.ts';

export type ControlOptions = Place & { json?: boolean | undefined };

/** How long a run may take to answer: a worker has to pick the message up. */
const answerTimeoutMs = 30_000;

const levers = {
  pause: { update: pauseUpdate, effect: 'pauses when the epoch in progress is done' },
  resume: { update: resumeUpdate, effect: 'goes on' },
  stop: { update: stopUpdate, effect: 'ends, completed, when the epoch in progress is done' },
} as const;

/** Pull a lever of a live run. @throws AnnealError InvalidData where there is no such live run. */
export async function leverCommand(
  lever: keyof typeof levers,
  run: string,
  options: ControlOptions,
): Promise<number> {
  const { update, effect } = levers[lever];
  return tell(run, (handle) => handle.executeUpdate(update), effect, options);
}

/** Change settings of a live run from its next epoch on: `rlaif.kl_penalty=0.05 …`. */
export async function adjustCommand(
  run: string,
  assignments: readonly string[],
  options: ControlOptions,
): Promise<number> {
  const change = adjustmentOf(assignments);
  const ask: Ask = (handle) => handle.executeUpdate(adjustUpdate, { args: [change] });
  return tell(run, ask, 'takes the change at its next epoch', options);
}

/** @throws AnnealError InvalidConfig for anything but keys of rlaif and training. */
export function adjustmentOf(assignments: readonly string[]): Adjustment {
  const change: Record<string, Record<string, unknown>> = {};
  for (const text of assignments) {
    const { path, value } = parseAssignment(text);
    const [section, key, ...rest] = path.map(String);
    if ((section !== 'rlaif' && section !== 'training') || !key || rest.length > 0)
      throw new AnnealError(
        'InvalidConfig',
        `adjust: expected rlaif.KEY=VALUE or training.KEY=VALUE, found '${text}'`,
      );
    change[section] = { ...change[section], [key]: value };
  }
  return change;
}

type Ask = (handle: WorkflowHandle) => Promise<RunStatus>;

function tell(
  run: string,
  ask: Ask,
  effect: string,
  { json, ...place }: ControlOptions,
): Promise<number> {
  return withLiveTemporal(place, async ({ client }) => {
    const status = await answerOf(client, run, ask);
    if (json) printJson(status);
    else printLines([`run '${run}' ${effect} (now: ${status.state})`]);
    return 0;
  });
}

async function answerOf(client: Client, run: string, ask: Ask): Promise<RunStatus> {
  const execution = await describeRun(client, run);
  if (!execution || !isOpen(execution.state)) throw notLive(run, execution?.state);
  try {
    const handle = client.workflow.getHandle(run);
    return await client.withDeadline(Date.now() + answerTimeoutMs, () => ask(handle));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw notLive(run, 'COMPLETED');
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) throw noAnswer(run, error);
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    const reason = error.cause?.message ?? error.message;
    throw new AnnealError('InvalidConfig', reason, { cause: error });
  }
}

function noAnswer(run: string, cause: Error): AnnealError {
  const message = `run '${run}' did not answer within ${answerTimeoutMs / 1000} s; it takes a worker to answer: start one with \`anneal dev\` or \`anneal run\``;
  return new AnnealError('NoServer', message, { cause });
}

function notLive(run: string, state?: string): AnnealError {
  const found = state ? `it is ${state.toLowerCase()}` : 'the server knows no such run';
  return new AnnealError('InvalidData', `expected a live run '${run}', but ${found}`);
}
