// A whole run: prepare, measure the start, then each epoch of each phase as a child workflow, with
// refits of reward models between phases where the run file asks for them.

import {
  allHandlersFinished,
  ChildWorkflowCancellationType,
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
import { isDamage, isPartOf, plainFailure, remakingDamaged } from './failures.ts';
import { LiveRun, type RunState } from './live-run.ts';
import { epochWorkflowId, type RunResult } from './messages.ts';
import { refitRewardModels, refitsAreDue } from './refit.ts';
import { evaluatePolicy } from './sampling.ts';
import { searchKeys } from './search-attributes.ts';
import { type EpochInput, trainingEpoch } from './training-epoch.ts';

/**
 * Fine-tune a policy as a run file says.
 * @param file a run file's content: keys with defaults may be left out.
 * @param carried given by the run itself where it continues as a new execution.
 * @throws ApplicationFailure of type InvalidConfig, InvalidData or InvalidModel, at once, for a
 * run file that cannot work; its message is the one that the `anneal` command prints.
 */
export async function trainingRun(file: unknown, carried?: RunState): Promise<RunResult> {
  const live = new LiveRun(carried);
  try {
    if (!live.begun) await begin(live, file);
    let stopped = false;
    while (nextEpoch(live.state) <= lastEpochOf(live.state.plan.config)) {
      stopped = !(await live.mayGoOn());
      if (stopped) break;
      if (refitsAreDue(live.state, nextEpoch(live.state))) {
        await refitRewardModels(live, nextEpoch(live.state));
        continue;
      }
      await runEpoch(live);
      if (isLong()) await continueRun(live.state);
    }
    live.end();
    await condition(allHandlersFinished);
    return resultOf(live, stopped);
  } catch (error) {
    throw plainFailure(error);
  }
}

async function begin(live: LiveRun, file: unknown): Promise<void> {
  const execution = workflowInfo().firstExecutionRunId;
  live.begin(await prepare({ run: live.run, execution, file }));
  if (live.state.metrics.length === 0) await measureStart(live);
}

/** The line that every later epoch is measured against. */
async function measureStart(live: LiveRun): Promise<void> {
  const { plan, policy } = live.state;
  const { config, prompts, rewardModels } = plan;
  const { epoch } = policy;
  const source = { run: live.run, epoch, config, policy, prompts, rewardModels };
  const measured = await remakingDamaged(
    () => evaluatePolicy(source, live.gate),
    (problem) => live.tellRemade(epoch, [problem]),
  );
  const { success } = config;
  const about = { run: live.run, epoch, phase: 'start', training: null };
  live.record(await analyze({ ...about, ...measured, success }));
}

const refitsBefore = ({ refits = [] }: RunState, epoch: number) =>
  refits.filter((refit) => refit.epoch === epoch);

const nextEpoch = (state: RunState) => state.policy.epoch + 1;

async function runEpoch(live: LiveRun): Promise<void> {
  const { state, run } = live;
  const { config, prompts, rewardModels } = state.plan;
  const epoch = nextEpoch(state);
  const { phase, settings } = settingsAt(config, epoch, state.change);
  const freshOptimizer = resetsReference(phase, epoch);
  if (freshOptimizer) state.reference = state.policy;
  const { policy, reference } = state;
  const input: EpochInput = {
    run,
    epoch,
    phase: phase.name,
    config,
    settings,
    prompts,
    rewardModels,
    policy,
    reference,
    freshOptimizer,
    ...(state.verdicts && { verdicts: state.verdicts, refits: refitsBefore(state, epoch) }),
    ...(state.resumes && { resumes: state.resumes }),
  };
  const result = await remakingDamaged(
    () => executeEpoch(live, input),
    (problem) => live.tellRemade(epoch, [problem]),
    (path) => remakeCheckpoint(live, path),
  );
  state.policy = result.policy;
  const stillNeeded = originsOf(state).filter(({ made }) => made.epoch === reference.epoch);
  state.origins = [...stillNeeded, { made: result.policy, input }];
  if (result.verdicts) state.verdicts = result.verdicts;
  state.finishedEpochs++;
  live.tellRemade(epoch, result.remade ?? []);
  live.record(result.metrics);
}

const originsOf = ({ origins = [] }: RunState) => origins;

/**
 * A checkpoint that an epoch starts from is made again by the epoch that made it, where this run
 * did and what that one needs is there still.
 * @returns whether it was.
 */
async function remakeCheckpoint(live: LiveRun, path: string | undefined): Promise<boolean> {
  const origin = originsOf(live.state).find(({ made }) => isPartOf(path, made));
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
  live.enter(input.epoch, input.phase, workflowId);
  return executeChild(trainingEpoch, {
    workflowId,
    args: [input],
    parentClosePolicy: ParentClosePolicy.TERMINATE,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    typedSearchAttributes: [
      { key: searchKeys.phase, value: input.phase },
      { key: searchKeys.epoch, value: input.epoch },
    ],
    staticSummary: `Epoch ${input.epoch}, ${input.phase}`,
    staticDetails: describeSettings(input.settings),
  });
}

function describeSettings({ rlaif, training }: Settings): string {
  const lines = Object.entries({ ...rlaif, ...training }).map(([key, value]) => `${key}: ${value}`);
  return ['```yaml', ...lines, '```'].join('\n');
}

/** Events of an execution that are enough, though the server would take more. */
const enoughEvents = 1500;

function isLong(): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || (historyLength > enoughEvents && patched('enough-events'));
}

/** Go on in a new execution, with a short history, and nothing that was said lost. */
async function continueRun(state: RunState): Promise<void> {
  await condition(allHandlersFinished);
  const { typedSearchAttributes } = workflowInfo();
  await makeContinueAsNewFunc<typeof trainingRun>({ typedSearchAttributes })(null, state);
}

function resultOf({ run, state }: LiveRun, stoppedEarly: boolean): RunResult {
  return {
    run,
    checkpoint: state.policy,
    epochs: state.finishedEpochs,
    evalRewardAtStart: state.metrics[0]!['eval/reward'],
    evalRewardAtEnd: state.metrics.at(-1)!['eval/reward'],
    stoppedEarly,
  };
}
