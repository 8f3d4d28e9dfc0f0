// A whole run: prepare, measure the start, then each epoch of each phase as a child workflow, with
// refits of reward models between phases if the run file configures them.

import {
  allHandlersFinished,
  ChildWorkflowCancellationType,
  ContinueAsNew,
  condition,
  executeChild,
  makeContinueAsNewFunc,
  ParentClosePolicy,
  patched,
  workflowInfo,
} from '@temporalio/workflow';
import type { Settings } from '../config/schedule.ts';
import { lastEpochOf, resetsReference, settingsAt } from '../config/schedule.ts';
import { analyze, prepare } from './activities.ts';
import { isDamage, isPartOf, plainFailure, rerunAfterDamage } from './failures.ts';
import { LiveRun } from './live-run.ts';
import { epochWorkflowId, type RunResult } from './messages.ts';
import { shortDetails, shortSummary } from './metadata.ts';
import { refitRewardModels, refitsAreDue } from './refit.ts';
import type { CarriedState, RunState } from './run-state.ts';
import { evaluatePolicy } from './sampling.ts';
import { searchKeys } from './search-attributes.ts';
import { type EpochInput, trainingEpoch } from './training-epoch.ts';

/**
 * Fine-tune a policy.
 * @param file the content of a run file; keys with defaults may be left out.
 * @param carried the state, passed by the run itself when it continues as a new execution.
 * @throws ApplicationFailure of type InvalidConfig, InvalidData or InvalidModel, without a retry,
 * if the run file cannot work; the `anneal` command prints its message.
 */
export async function trainingRun(file: unknown, carried?: CarriedState): Promise<RunResult> {
  const live = new LiveRun(carried);
  try {
    const stopped = await runUntilStopped(live, file);
    live.complete();
    await condition(allHandlersFinished);
    return resultOf(live, stopped);
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    const failure = plainFailure(error);
    live.fail(failure);
    throw failure;
  }
}

/** @returns whether the run was stopped before its last epoch */
async function runUntilStopped(live: LiveRun, file: unknown): Promise<boolean> {
  try {
    if (!live.hasBegun) await begin(live, file);
    while (nextEpoch(live.state) <= lastEpochOf(live.state.plan.config)) {
      if (!(await live.mayContinue())) return true;
      if (refitsAreDue(live.state, nextEpoch(live.state))) {
        await refitRewardModels(live, nextEpoch(live.state));
        continue;
      }
      await runEpoch(live);
      if (isLong()) await continueRun(live.state);
    }
    return false;
  } catch (error) {
    if (live.wasStoppedBy(error)) return true;
    throw error;
  }
}

async function begin(live: LiveRun, file: unknown): Promise<void> {
  const execution = workflowInfo().firstExecutionRunId;
  live.begin(await prepare({ run: live.run, execution, file }));
  if (live.state.metrics.length === 0) await measureStart(live);
}

/** Measure the start: the baseline for all later epochs. */
async function measureStart(live: LiveRun): Promise<void> {
  const { plan, policy } = live.state;
  const { config, prompts, rewardModels } = plan;
  const { epoch } = policy;
  const source = { run: live.run, epoch, config, policy, prompts, rewardModels };
  const measured = await rerunAfterDamage(
    () => evaluatePolicy(source, live.gate),
    (problem) => live.reportDamage(epoch, [problem]),
  );
  const { success } = config;
  const about = { run: live.run, epoch, phase: 'start', training: null };
  live.adoptStart(await analyze({ ...about, ...measured, success }));
}

const nextEpoch = ({ policy }: Readonly<RunState>) => policy.epoch + 1;

async function runEpoch(live: LiveRun): Promise<void> {
  const { plan, change, policy } = live.state;
  const { config, prompts, rewardModels } = plan;
  const epoch = nextEpoch(live.state);
  const { phase, settings } = settingsAt(config, epoch, change);
  const freshOptimizer = resetsReference(phase, epoch);
  if (freshOptimizer) live.resetReference();
  const { reference, verdicts, refits, resumes } = live.state;
  const input: EpochInput = {
    run: live.run,
    epoch,
    phase: phase.name,
    config,
    settings,
    prompts,
    rewardModels,
    policy,
    reference,
    freshOptimizer,
    verdicts,
    refits: refits.filter((refit) => refit.epoch === epoch),
    resumes,
  };
  const result = await rerunAfterDamage(
    () => executeEpoch(live, input),
    (problem) => live.reportDamage(epoch, [problem]),
    (path) => rebuildCheckpoint(live, path),
  );
  live.adoptEpoch(input, result);
}

/**
 * Rebuild a checkpoint that an epoch starts from by rerunning the epoch that made it, if it was one
 * of this run and its own inputs are still there.
 * @returns whether that worked
 */
async function rebuildCheckpoint(live: LiveRun, path: string | undefined): Promise<boolean> {
  const origin = live.state.origins.find(({ made }) => isPartOf(path, made));
  if (!origin) return false;
  try {
    await executeEpoch(live, origin.input);
    return true;
  } catch (error) {
    if (isDamage(plainFailure(error))) return false;
    throw error;
  }
}

function executeEpoch(live: LiveRun, input: EpochInput) {
  const workflowId = epochWorkflowId(input.run, input.phase, input.epoch);
  live.startEpoch(input.epoch, input.phase, workflowId);
  return executeChild(trainingEpoch, {
    workflowId,
    args: [input],
    parentClosePolicy: ParentClosePolicy.TERMINATE,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    typedSearchAttributes: [
      { key: searchKeys.phase, value: input.phase },
      { key: searchKeys.epoch, value: input.epoch },
    ],
    staticSummary: shortSummary(`Epoch ${input.epoch}, ${input.phase}`),
    staticDetails: describeSettings(input.settings),
  });
}

function describeSettings({ rlaif, training }: Settings): string {
  const lines = Object.entries({ ...rlaif, ...training }).map(([key, value]) => `${key}: ${value}`);
  return shortDetails(['```yaml', ...lines, '```'].join('\n'));
}

/** Continue as new after this many events; the server itself would allow more. */
const enoughEvents = 1500;

function isLong(): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || (historyLength > enoughEvents && patched('enough-events'));
}

/** Continue as new to keep the history short; pending messages are handled first. */
async function continueRun(state: Readonly<RunState>): Promise<void> {
  await condition(allHandlersFinished);
  const { typedSearchAttributes } = workflowInfo();
  await makeContinueAsNewFunc<typeof trainingRun>({ typedSearchAttributes })(null, state);
}

function resultOf({ run, state }: LiveRun, stoppedEarly: boolean): RunResult {
  return {
    run,
    checkpoint: state.policy,
    epochs: state.finishedEpochs,
    evalRewardAtStart: state.metrics[0]?.['eval/reward'] ?? null,
    evalRewardAtEnd: state.metrics.at(-1)?.['eval/reward'] ?? null,
    stoppedEarly,
  };
}
